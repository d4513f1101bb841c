//! `quarterdeck extract URL|ID|FILE|-`: prints the title and the text of a page as they would be stored. Nothing is
//! stored, and the store is opened for reading only.

mod print;
mod source;
mod stored;

use super::context::Context;
use super::exit::{CliError, Exit};
use super::output::{Output, problem};
use crate::config::Config;
use crate::domain::content::Page;
use crate::domain::extraction::ExplainedPage;
use crate::domain::failure::{Blame, Failure};
use crate::domain::id::DocumentId;
use crate::domain::link::host_of;
use crate::domain::site_rule::SiteRule;
use crate::fetch::{FetchRequest, Fetcher, chatwoot_texts, check_site, convert_file, probe};
use crate::format;
use print::ExtractionJson;
use source::{Local, PageSource, Remote};
use stored::Extraction;

/// Id of a page that is no document; documents have positive ids.
const NO_DOCUMENT: DocumentId = DocumentId(0);

/// Arguments of `extract`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A page, a document, whose page is fetched anew, a file with HTML, or - for HTML on standard input
    #[arg(value_name = "URL|ID|FILE|-")]
    pub page: String,
    /// Also print what is left out of the page, each element with the reason and its measures
    #[arg(long)]
    pub why: bool,
    /// Only elements that match this CSS selector are content; may be repeated
    #[arg(long, value_name = "SELECTOR")]
    pub include: Vec<String>,
    /// Elements that match this CSS selector are left out; may be repeated
    #[arg(long, value_name = "SELECTOR")]
    pub exclude: Vec<String>,
    /// Text that matches this regular expression does not count in the fingerprint; may be repeated
    #[arg(long, value_name = "PATTERN")]
    pub ignore: Vec<String>,
    /// URL of the page in FILE: for its links, and for the rules of its host
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
--include, --exclude and --ignore replace the key of the same name in the page's rule (fetch.sites).

Examples:
  quarterdeck extract https://docs.example.org/start --why
  quarterdeck extract 812 --include main --exclude .rating
  quarterdeck extract page.html --url https://docs.example.org/start
  curl -s https://docs.example.org/start | quarterdeck extract - --json";

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    args.check_rules()?;
    let source = PageSource::resolve(context, args).await?;
    let extracted = match &source {
        PageSource::Remote(remote) => fetch(args, remote).await?,
        PageSource::Local(local) => convert(&context.config, args, local).await?,
    };
    if args.json {
        out.json(&ExtractionJson::new(&source, &extracted, args.why))?;
    }
    match extracted {
        Ok(extracted) => {
            if !args.json {
                print::facts(&extracted);
                print::text(&extracted, args.why, out)?;
            }
            Ok(Exit::Done)
        }
        Err(failure) => {
            problem(format!("{}: {}", format::error_code(failure.code), failure.detail));
            Ok(if failure.blame == Blame::Host { Exit::SomeFailed } else { Exit::Unreachable })
        }
    }
}

/// Fetches a page with all settings, also those of its site.
async fn fetch(args: &Args, remote: &Remote) -> Result<Result<Extraction, Failure>, CliError> {
    let document = remote.document.unwrap_or(NO_DOCUMENT);
    let mut settings = remote.config.fetch.clone();
    let rule = args.rule(&remote.config, document, &remote.url);
    // A rule for the document precedes all others.
    settings.sites.0.insert(0, SiteRule { host: None, document: Some(document), ..rule });
    let unusable = |error: crate::fetch::FetchSetupError| CliError::Usage(error.to_string());
    let fetcher = Fetcher::new(settings.clone()).map_err(unusable)?;
    let chatwoot = fetcher.writes_chatwoot_text(document, &remote.url, remote.facts.is_chatwoots());
    let request = FetchRequest { chatwoot, ..remote.facts.request(document, &remote.url) };
    let probe = probe(settings, &request).await.map_err(unusable)?;
    Ok(probe.explained().map(|explained| match chatwoot {
        true => Extraction::of_chatwoot(explained, &remote.facts, remote.stored.as_deref()),
        false => Extraction::of_main(explained),
    }))
}

/// Converts a page from a file.
async fn convert(config: &Config, args: &Args, local: &Local) -> Result<Result<Extraction, Failure>, CliError> {
    let url = local.url.clone();
    let rule = args.rule(config, NO_DOCUMENT, url.as_ref().map_or("", url::Url::as_str));
    let (body, facts, most) = (local.body.clone(), local.facts.clone(), config.fetch.max_body);
    let chatwoot = !rule.names_content() && config.fetch.writes_chatwoot_text(facts.is_chatwoots());
    let converting = tokio::task::spawn_blocking(move || {
        let template = facts.text_template().map(|template| &**template).filter(|_| !chatwoot);
        let explained = convert_file(&body, url.as_ref(), (&rule, template), most)?;
        if !chatwoot {
            return Ok(Extraction::of_main(explained));
        }
        // A page of which Chatwoot would make nothing is not converted either.
        let texts = chatwoot_texts(&body).ok().map(Box::new);
        let page = Page { chatwoot: texts, ..explained.page };
        Ok(Extraction::of_chatwoot(ExplainedPage { page, ..explained }, &facts, None))
    });
    converting.await.map_err(|error| CliError::Io(std::io::Error::other(error)))
}

impl Args {
    /// Fails if a selector or a pattern cannot be read.
    fn check_rules(&self) -> Result<(), CliError> {
        let own = self.onto(SiteRule::default());
        // The error begins with the key in parentheses, which is the flag's name here.
        check_site(&own).map_err(|error| CliError::Usage(error.replacen('(', "--", 1).replacen(')', "", 1)))
    }

    /// Returns the rule of the settings for a page, with the keys that the flags replace.
    fn rule(&self, config: &Config, document: DocumentId, url: &str) -> SiteRule {
        let configured = config.fetch.sites.of(document, &host_of(url).unwrap_or_default());
        self.onto(configured.cloned().unwrap_or_default())
    }

    fn onto(&self, rule: SiteRule) -> SiteRule {
        let either = |own: &Vec<String>, configured| if own.is_empty() { configured } else { own.clone() };
        SiteRule {
            include: either(&self.include, rule.include),
            exclude: either(&self.exclude, rule.exclude),
            ignore: either(&self.ignore, rule.ignore),
            ..rule
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory as _, Parser as _};

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn args(flags: &[&str]) -> Args {
        Line::parse_from([&["extract", "7"], flags].concat()).args
    }

    #[test]
    fn flags_replace_the_key_of_the_same_name_only() {
        let configured = SiteRule {
            include: vec!["main".into()],
            exclude: vec![".a".into()],
            ignore: vec!["b".into()],
            ..SiteRule::default()
        };
        let tried = args(&["--exclude", ".c", "--exclude", ".d"]).onto(configured.clone());
        assert_eq!(tried, SiteRule { exclude: vec![".c".into(), ".d".into()], ..configured });
    }

    #[test]
    fn a_wrong_selector_is_named_with_its_flag() {
        let refused = |flags| args(flags).check_rules().expect_err("it is wrong").to_string();
        assert_eq!(refused(&["--include", "div >"]), "--include: \"div >\" is not a CSS selector");
        assert!(refused(&["--ignore", "(a"]).starts_with("--ignore: \"(a\" is not a pattern: "));
    }

    #[test]
    fn the_help_has_examples() {
        let help = Line::command().render_help().to_string();
        assert_examples(&help);
    }

    /// Asserts that each example of the help parses.
    fn assert_examples(help: &str) {
        let examples: Vec<_> = help.lines().filter_map(|line| line.split_once("quarterdeck extract ")).collect();
        assert_eq!(examples.len(), 4, "{help}");
        for (_, example) in examples {
            let words: Vec<_> = std::iter::once("extract").chain(example.split_whitespace()).collect();
            Line::try_parse_from(words).expect("a valid example");
        }
    }
}
