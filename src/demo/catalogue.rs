//! Catalogue of the pages: language, template, title, path and host of each, decided by seed and index.

use super::behaviour::{Behaviour, Charset};
use super::draw::Draw;
use super::language::{FRENCH, JAPANESE, LANGUAGES, Language};
use crate::domain::word_enum::variant_list;

/// Number of hosts of the site. Each host is a port of 127.0.0.1.
pub(super) const HOSTS: usize = 12;
/// Number in the path of the first document.
const FIRST_NUMBER: usize = 1_001;
/// Rotation of the languages, as indices of [`LANGUAGES`]: three of ten pages are English.
const LANGUAGE_ROTATION: [u8; 10] = [0, 1, 2, 0, 3, 4, 0, 5, 6, 7];
/// First label of each host's name.
const LABELS: [&str; HOSTS] =
    ["docs", "help", "docs", "support", "wiki", "docs", "help", "learn", "support", "docs", "blog", "api"];
/// Rotation of the account ids; accounts have unequal numbers of pages, as real ones do.
const ACCOUNT_ROTATION: [u8; 8] = [1, 2, 1, 3, 1, 2, 4, 2];
/// Brand of the site on each host.
const BRANDS: [&str; HOSTS] = [
    "Fernwood",
    "Harbourline",
    "Tallyboard",
    "Northpost",
    "Kestrel",
    "Lumen",
    "Papertrail",
    "Quillstone",
    "Brightdesk",
    "Osprey",
    "Marlow",
    "Vantage",
];

variant_list! {
    /// Layout of a page, after common kinds of sites.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) enum Template {
        /// Documentation generator: sidebar, breadcrumb, `main`.
        Docs,
        /// Help centre: hero with a search, `article`, votes.
        Help,
        /// Wiki: `role=main` in a `div`, table of contents inside.
        Wiki,
        /// Blog: figure, byline, `article`.
        Blog,
        /// API reference: endpoints, tables, code.
        Api,
    }
}

/// Plan of a page: everything that is decided before the page is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct PagePlan {
    /// Index among all documents, from 0.
    pub(super) index: usize,
    pub(super) behaviour: Behaviour,
    pub(super) template: Template,
    language: u8,
    /// Index among the pages of its language.
    rank: u32,
}

impl PagePlan {
    /// Returns the language of the page's text.
    pub(super) fn language(&self) -> &'static Language {
        LANGUAGES.get(usize::from(self.language)).unwrap_or(&LANGUAGES[super::language::ENGLISH])
    }

    /// Returns the index of the page's host. The index is shifted by one per cycle of behaviours, so that no host has
    /// all the silent pages.
    pub(super) fn host(&self) -> usize {
        (self.index + self.index / 60) % HOSTS
    }

    /// Returns the brand of the page's site.
    pub(super) fn brand(&self) -> &'static str {
        BRANDS[self.host()]
    }

    /// Returns the number in the page's path.
    pub(super) const fn number(&self) -> usize {
        FIRST_NUMBER + self.index
    }

    /// Returns the account id, 1 to 4.
    pub(super) fn account_id(&self) -> i64 {
        i64::from(ACCOUNT_ROTATION[(self.index + self.index / 60) % ACCOUNT_ROTATION.len()])
    }

    /// Returns the assistant id; each account has two: 1 and 2 of account 1, 3 and 4 of account 2, and so on.
    pub(super) fn assistant_id(&self) -> i64 {
        let second = i64::from(self.index.is_multiple_of(3));
        (self.account_id() - 1) * 2 + 1 + second
    }
}

/// Plans of all pages of a site.
#[derive(Debug)]
pub(super) struct Catalogue {
    pub(super) seed: u64,
    plans: Vec<PagePlan>,
    title_offset: usize,
}

impl Catalogue {
    /// Plans `documents` pages. A page's plan does not depend on the number of pages after it.
    pub(super) fn new(seed: u64, documents: usize) -> Self {
        let mut draw = Draw::of(&[seed]);
        let offset = draw.below(997);
        let mut ranks = [0_u32; 8];
        let plans = (0..documents)
            .map(|index| {
                let behaviour = Behaviour::of_index(index);
                let language = match behaviour {
                    Behaviour::WrongCharset(Charset::WesternMetaLies | Charset::WesternHeaderLies) => FRENCH,
                    Behaviour::WrongCharset(Charset::JapaneseMetaLies) => JAPANESE,
                    _ => usize::from(LANGUAGE_ROTATION[(index + index / 60) % LANGUAGE_ROTATION.len()]),
                };
                let rank = ranks[language];
                ranks[language] += 1;
                PagePlan {
                    index,
                    behaviour,
                    template: Template::ALL[(index + index / 10 + index / 60) % Template::ALL.len()],
                    language: language as u8,
                    rank,
                }
            })
            .collect();
        Self { seed, plans, title_offset: offset }
    }

    /// Returns the plans in the order of their indices.
    pub(super) fn plans(&self) -> &[PagePlan] {
        &self.plans
    }

    /// Returns the page at `path` on `host`, if there is one.
    pub(super) fn find(&self, host: usize, path: &str) -> Option<&PagePlan> {
        let number: usize = path.rsplit_once('-')?.1.parse().ok()?;
        let plan = self.plans.get(number.checked_sub(FIRST_NUMBER)?)?;
        (plan.host() == host && self.path(plan) == path).then_some(plan)
    }

    /// Returns the heading of the page, which is also the document's name before its first sync.
    pub(super) fn title(&self, plan: &PagePlan) -> String {
        plan.language().title(plan.rank as usize, self.title_offset_of(plan))
    }

    /// Returns the object in the page's title; `None` if the title is not composed of an action and an object.
    pub(super) fn object(&self, plan: &PagePlan) -> Option<&'static str> {
        plan.language().object(plan.rank as usize, self.title_offset_of(plan))
    }

    /// Returns the offset in the language's lists of titles. It differs by language, so that neighbours in a list of
    /// documents are not translations of each other.
    fn title_offset_of(&self, plan: &PagePlan) -> usize {
        self.title_offset + usize::from(plan.language) * 43
    }

    /// Returns the page's path on its host.
    pub(super) fn path(&self, plan: &PagePlan) -> String {
        let (code, number) = (plan.language().code, plan.number());
        let slug = slug(&self.title(plan));
        match plan.template {
            Template::Docs => format!("/docs/{code}/{slug}-{number}"),
            Template::Help => format!("/hc/{code}/articles/{slug}-{number}"),
            Template::Wiki => format!("/wiki/{code}/{slug}-{number}"),
            Template::Blog => format!("/blog/2026/{code}/{slug}-{number}"),
            Template::Api => format!("/reference/v2/{code}/{slug}-{number}"),
        }
    }

    /// Returns up to `most` earlier pages of the host of `plan`, the latest first. Later pages are left out, so that a
    /// page does not change with the number of documents.
    pub(super) fn neighbours(&self, plan: &PagePlan, most: usize) -> Vec<&PagePlan> {
        let from = plan.index.saturating_sub(most * HOSTS * 2);
        self.plans[from..plan.index].iter().rev().filter(|other| other.host() == plan.host()).take(most).collect()
    }

    /// Returns the first pages of `host`, at most `most`.
    pub(super) fn of_host(&self, host: usize, most: usize) -> Vec<&PagePlan> {
        self.plans.iter().filter(|plan| plan.host() == host).take(most).collect()
    }
}

/// Returns the brand of the site on `host`.
pub(super) fn brand_of(host: usize) -> &'static str {
    BRANDS.get(host).copied().unwrap_or_default()
}

/// Returns a name for `host`, which means this machine on every system that follows RFC 6761.
pub(super) fn name_of(host: usize) -> String {
    format!("{}.{}.localhost", LABELS.get(host).copied().unwrap_or_default(), brand_of(host).to_ascii_lowercase())
}

/// Converts a title to a path segment: lower-case ASCII with hyphens; `page` if the result would have no letter, as for
/// Japanese.
fn slug(title: &str) -> String {
    let mut slug = String::with_capacity(title.len());
    for c in title.chars().flat_map(char::to_lowercase) {
        let plain = match c {
            'a'..='z' | '0'..='9' => {
                slug.push(c);
                continue;
            }
            'ä' => "ae",
            'ö' => "oe",
            'ü' => "ue",
            'ß' => "ss",
            'à' | 'á' | 'â' | 'ã' | 'ą' => "a",
            'ç' | 'ć' => "c",
            'è' | 'é' | 'ê' | 'ë' | 'ę' => "e",
            'í' | 'î' | 'ï' => "i",
            'ł' => "l",
            'ñ' | 'ń' => "n",
            'ó' | 'ô' | 'õ' => "o",
            'ś' => "s",
            'ú' | 'ù' | 'û' => "u",
            'ź' | 'ż' => "z",
            _ if c.is_alphanumeric() && !c.is_ascii() => "",
            _ if slug.is_empty() || slug.ends_with('-') => "",
            _ => "-",
        };
        slug.push_str(plain);
    }
    let slug = slug.trim_matches('-');
    if slug.chars().any(|c| c.is_ascii_lowercase()) { slug.to_owned() } else { "page".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_path_leads_back_to_its_page_and_only_on_its_host() {
        let catalogue = Catalogue::new(3, 700);
        for plan in catalogue.plans() {
            let path = catalogue.path(plan);
            assert_eq!(catalogue.find(plan.host(), &path).map(|found| found.index), Some(plan.index), "{path}");
            assert!(catalogue.find((plan.host() + 1) % HOSTS, &path).is_none());
            assert!(catalogue.find(plan.host(), &path.replacen('/', "/x", 1)).is_none());
        }
    }

    #[test]
    fn a_plan_does_not_depend_on_what_comes_after() {
        let (few, many) = (Catalogue::new(3, 90), Catalogue::new(3, 4_000));
        for (a, b) in few.plans().iter().zip(many.plans()) {
            assert_eq!((few.path(a), a.behaviour), (many.path(b), b.behaviour));
        }
    }

    #[test]
    fn every_host_language_and_template_is_used_and_no_path_twice() {
        let catalogue = Catalogue::new(9, 100_000);
        let paths: HashSet<(usize, String)> =
            catalogue.plans().iter().map(|plan| (plan.host(), catalogue.path(plan))).collect();
        assert_eq!(paths.len(), 100_000);
        let first: Vec<&PagePlan> = catalogue.plans().iter().take(200).collect();
        assert_eq!(first.iter().map(|plan| plan.host()).collect::<HashSet<_>>().len(), HOSTS);
        assert_eq!(first.iter().map(|plan| plan.language).collect::<HashSet<_>>().len(), LANGUAGES.len());
        assert_eq!(first.iter().map(|plan| plan.template as u8).collect::<HashSet<_>>().len(), 5);
        assert_eq!(first.iter().map(|plan| plan.account_id()).collect::<HashSet<_>>(), HashSet::from([1, 2, 3, 4]));
    }

    #[test]
    fn slugs_are_plain() {
        assert_eq!(slug("Où est ma commande ?"), "ou-est-ma-commande");
        assert_eq!(slug("¿Qué pasa con mis datos?"), "que-pasa-con-mis-datos");
        assert_eq!(slug("ご利用ガイド"), "page");
        assert_eq!(slug("APIキー · 4.2"), "api-4-2");
    }
}
