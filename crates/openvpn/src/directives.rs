//! Lines of a configuration file, as OpenVPN splits them.

/// One line: its words, and what stands behind `#` or `;`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Directive {
    pub(crate) words: Vec<String>,
    pub(crate) comment: Option<String>,
}

/// The directives of a file. Inline files (`<ca>` … `</ca>`) and lines with quotes that are never closed are left out.
pub(crate) fn directives(text: &str) -> impl Iterator<Item = Directive> {
    let mut inline: Option<String> = None;
    text.lines().filter_map(move |line| {
        let trimmed = line.trim();
        if let Some(end) = &inline {
            if trimmed == end {
                inline = None;
            }
            return None;
        }
        if let Some(tag) = trimmed.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
            inline = Some(format!("</{tag}>"));
            return None;
        }
        split(trimmed).filter(|directive| !directive.words.is_empty())
    })
}

/// Words are separated by spaces; `"` and `'` quote, `\` escapes outside of `'`.
fn split(line: &str) -> Option<Directive> {
    let mut directive = Directive::default();
    let mut rest = line.char_indices();
    let mut word: Option<String> = None;
    let mut quote = None;
    while let Some((at, character)) = rest.next() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None | Some('"'), '\\') => word.get_or_insert_default().push(rest.next()?.1),
            (Some(_), _) => word.get_or_insert_default().push(character),
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, '#' | ';') if word.is_none() => {
                directive.comment = comment(&line[at + 1..]);
                break;
            }
            (None, _) if character.is_whitespace() => directive.words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(character),
        }
    }
    directive.words.extend(word);
    quote.is_none().then_some(directive)
}

fn comment(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        split(line).map(|directive| directive.words).unwrap_or_default()
    }

    #[test]
    fn quotes_escapes_and_comments_are_openvpns() {
        assert_eq!(
            words(r#"push "route 10.0.0.0 255.0.0.0""#),
            ["push", "route 10.0.0.0 255.0.0.0"]
        );
        assert_eq!(
            words(r#"ca "C:\\keys\\ca.crt" 'a\b' x\ y """#),
            ["ca", r"C:\keys\ca.crt", r"a\b", "x y", ""]
        );
        assert_eq!(words("a#b c"), ["a#b", "c"]);
        let directive = split("iroute 10.0.0.0 255.0.0.0 # head office ").unwrap();
        assert_eq!(directive.words.len(), 3);
        assert_eq!(directive.comment.as_deref(), Some("head office"));
        assert_eq!(split("push \"never closed"), None);
        assert_eq!(split("ends in \\"), None);
    }

    #[test]
    fn inline_files_are_no_directives() {
        let text = "port 1194\n<ca>\nroute 10.0.0.0\n</ca>\n; remark\n\nproto udp\n";
        let found: Vec<Vec<String>> = directives(text).map(|directive| directive.words).collect();
        assert_eq!(found, [["port", "1194"], ["proto", "udp"]]);
    }
}
