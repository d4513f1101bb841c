//! Text within Markdown.

/// Returns `text`, which is one line, such that Markdown shows it as it is: characters with a meaning get a backslash.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '!' | '&' | '~') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn names_from_outside_add_no_link_no_image_and_no_column() {
        assert_eq!(escaped("![x](http://a.b) | *y* <b>"), "\\!\\[x\\](http://a.b) \\| \\*y\\* \\<b\\>");
        assert_eq!(escaped("404 Not Found"), "404 Not Found");
    }
}
