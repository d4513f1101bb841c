//! Names of documents from standard input: `-` among a verb's documents stands for them.

use super::exit::CliError;
use super::output::shortened;
use serde_json::Value;
use std::io::{self, BufRead};

/// Replaces `-` in `names` by what standard input has: IDs and URLs between white space, or JSON lines with `document_id`
/// or `id`, as `list --json` and others print them.
///
/// # Errors
/// `-` stands twice, standard input cannot be read, or a line of JSON names no document.
pub(super) fn expand(names: &mut Vec<String>) -> Result<(), CliError> {
    let Some(at) = names.iter().position(|name| name == "-") else { return Ok(()) };
    if names.iter().filter(|name| *name == "-").count() > 1 {
        return Err(CliError::Usage("- stands for standard input, and can be given once".to_owned()));
    }
    let read = read(io::stdin().lock())?;
    names.splice(at..=at, read);
    Ok(())
}

fn read(input: impl BufRead) -> Result<Vec<String>, CliError> {
    let mut names = Vec::new();
    for (index, line) in input.lines().enumerate() {
        let number = index + 1;
        let line = line.map_err(|error| CliError::Usage(format!("cannot read stdin: {error}")))?;
        if line.trim_start().starts_with('{') {
            let wrong = || CliError::Usage(format!("stdin:{number}: names no document: {}", shortened(&line)));
            names.push(of_json(&line).ok_or_else(wrong)?);
        } else {
            names.extend(line.split_whitespace().map(str::to_owned));
        }
    }
    Ok(names)
}

fn of_json(line: &str) -> Option<String> {
    let object: Value = serde_json::from_str(line).ok()?;
    let id = object.get("document_id").or_else(|| object.get("id"))?;
    id.as_i64().map(|id| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_urls_and_lines_of_json_name_documents() {
        let text =
            "1 2\n\n  https://example.org/a\n{\"id\":3,\"url\":\"x\"}\n{\"seq\":9,\"document_id\":4,\"id\":9}\n5";
        assert_eq!(read(text.as_bytes()).expect("names"), ["1", "2", "https://example.org/a", "3", "4", "5"]);
        assert_eq!(read(&b""[..]).expect("none"), [""; 0]);
    }

    #[test]
    fn a_line_of_json_without_a_document_is_named() {
        for line in ["{\"url\":\"https://example.org\"}", "{\"id\":\"a\"}", "{\"id\":1"] {
            let error = read(format!("1\n{line}\n").as_bytes()).expect_err(line).to_string();
            assert!(error.starts_with("stdin:2: names no document: "), "{error}");
        }
        assert!(read(&b"\xff\n"[..]).is_err());
    }

    #[test]
    fn without_the_sign_nothing_is_read() {
        let mut names = vec!["1".to_owned(), "2".to_owned()];
        expand(&mut names).expect("nothing to read");
        assert_eq!(names, ["1", "2"]);
        let mut twice = vec!["-".to_owned(), "-".to_owned()];
        assert!(expand(&mut twice).is_err());
    }
}
