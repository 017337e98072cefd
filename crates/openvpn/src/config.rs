//! OpenVPN's configuration language: the server's own file, and those of its client-config-dir. Read as the daemon reads it:
//! words, double and single quotes, backslashes, comments, inline `<blocks>`.

/// A configuration, as far as it can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    pub directives: Vec<Directive>,
    /// Lines that the daemon would refuse; they are left out of the directives.
    pub faults: Vec<Fault>,
}

/// One line that says something, or one inline block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// From 1.
    pub line: usize,
    pub name: String,
    /// Without the name. Of an inline block: `["[inline]"]`, for a private key may stand in it.
    pub arguments: Vec<String>,
    /// What stands behind `#` or `;` on the same line.
    pub comment: Option<String>,
}

/// A line that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Fault {
    /// From 1.
    pub line: usize,
    pub what: FaultKind,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    #[error("a quotation mark is not closed")]
    OpenQuote,
    #[error("a backslash may stand before a backslash, a quotation mark or a space only")]
    Backslash,
    #[error("the block <{0}> is not closed")]
    OpenBlock(String),
}

/// What the daemon calls a file that stands in the configuration itself.
const INLINE: &str = "[inline]";

impl Config {
    /// Reads a whole file, with either line end.
    pub fn parse(text: &str) -> Self {
        let mut config = Self::default();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = text.lines().zip(1..);
        while let Some((text, line)) = lines.next() {
            let (words, comment) = match words(text) {
                Ok(found) => found,
                Err(what) => {
                    config.faults.push(Fault { line, what });
                    continue;
                }
            };
            let mut words = words.into_iter();
            let Some(first) = words.next() else { continue };
            let mut arguments: Vec<String> = words.collect();
            let block = block_name(&first).filter(|_| arguments.is_empty()).map(str::to_owned);
            if let Some(block) = &block {
                arguments.push(INLINE.to_owned());
                let end = format!("</{block}>");
                if !lines.any(|(text, _)| text.trim_start().starts_with(&end)) {
                    let what = FaultKind::OpenBlock(block.clone());
                    config.faults.push(Fault { line, what });
                    continue;
                }
            }
            let name = block.unwrap_or_else(|| without_dashes(first));
            config.directives.push(Directive {
                line,
                name,
                arguments,
                comment,
            });
        }
        config
    }

    /// All directives of this name, in their order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Directive> {
        self.directives.iter().filter(move |directive| directive.name == name)
    }

    /// The last directive of this name: the one that counts where only one can.
    pub fn last(&self, name: &str) -> Option<&Directive> {
        self.directives.iter().rev().find(|directive| directive.name == name)
    }

    pub fn has(&self, name: &str) -> bool {
        self.last(name).is_some()
    }
}

impl Directive {
    /// Name and arguments.
    pub(crate) fn words(&self) -> Vec<&str> {
        std::iter::once(&self.name)
            .chain(&self.arguments)
            .map(String::as_str)
            .collect()
    }

    /// Whether the file that it is about stands in the configuration itself.
    pub(crate) fn is_inline(&self) -> bool {
        self.arguments == [INLINE]
    }

    /// The argument at this place, from 0.
    pub fn argument(&self, place: usize) -> Option<&str> {
        self.arguments.get(place).map(String::as_str)
    }
}

/// `<ca>` → `ca`
fn block_name(word: &str) -> Option<&str> {
    let name = word.strip_prefix('<')?.strip_suffix('>')?;
    (!name.is_empty() && !name.starts_with('/')).then_some(name)
}

/// The spelling of the command line is understood in files too.
fn without_dashes(word: String) -> String {
    match word.strip_prefix("--") {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => word,
    }
}

/// The words of one line, and the comment behind them. A `#` or `;` within a word is part of it.
fn words(line: &str) -> Result<(Vec<String>, Option<String>), FaultKind> {
    let mut words = Vec::new();
    let mut characters = line.chars().peekable();
    while let Some(first) = characters.next() {
        match first {
            character if is_space(character) => {}
            '#' | ';' => {
                let comment: String = characters.collect();
                let comment = Some(comment.trim().to_owned()).filter(|comment| !comment.is_empty());
                return Ok((words, comment));
            }
            '\'' => words.push(single_quoted(&mut characters)?),
            '"' => words.push(word(&mut characters, Some('"'))?),
            first => {
                let mut rest = std::iter::once(first).chain(&mut characters);
                words.push(word(&mut rest, None)?);
            }
        }
    }
    Ok((words, None))
}

/// Nothing is special within single quotes.
fn single_quoted(characters: &mut impl Iterator<Item = char>) -> Result<String, FaultKind> {
    let mut word = String::new();
    loop {
        match characters.next() {
            Some('\'') => return Ok(word),
            Some(character) => word.push(character),
            None => return Err(FaultKind::OpenQuote),
        }
    }
}

/// Up to the closing quote, or without one up to a space.
fn word(characters: &mut impl Iterator<Item = char>, quote: Option<char>) -> Result<String, FaultKind> {
    let mut word = String::new();
    loop {
        match characters.next() {
            Some('\\') => match characters.next() {
                Some(character) if matches!(character, '\\' | '"') || is_space(character) => word.push(character),
                _ => return Err(FaultKind::Backslash),
            },
            Some(character) if quote.map_or(is_space(character), |quote| character == quote) => return Ok(word),
            Some(character) => word.push(character),
            None if quote.is_some() => return Err(FaultKind::OpenQuote),
            None => return Ok(word),
        }
    }
}

fn is_space(character: char) -> bool {
    character.is_ascii_whitespace() || character == '\u{b}'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(line: &str) -> Vec<String> {
        words(line).unwrap().0
    }

    #[test]
    fn words_are_divided_as_the_daemon_divides_them() {
        assert_eq!(
            read("  server 10.8.0.0\t255.255.255.0  "),
            ["server", "10.8.0.0", "255.255.255.0"]
        );
        assert_eq!(
            read("client-connect \"/usr/bin/agent hook\" # ours"),
            ["client-connect", "/usr/bin/agent hook"]
        );
        assert_eq!(read("push 'route 10.0.0.0 \\x'; old"), ["push", "route 10.0.0.0 \\x"]);
        assert_eq!(
            read(r#"status "C:\\Program Files\\\"x\"""#),
            ["status", r#"C:\Program Files\"x""#]
        );
        assert_eq!(read("log /var/log/a\\ b#c;d"), ["log", "/var/log/a b#c;d"]);
        let comment = |line: &str| words(line).unwrap().1;
        assert_eq!(
            comment("iroute 10.0.0.0 # head office ").as_deref(),
            Some("head office")
        );
        assert_eq!(comment("iroute 10.0.0.0 #"), None);
        assert_eq!(read("; all of it"), [] as [&str; 0]);
        assert_eq!(read("# all of it"), [] as [&str; 0]);
        assert_eq!(read("push \"\" x"), ["push", "", "x"]);
        assert_eq!(words("push \"route"), Err(FaultKind::OpenQuote));
        assert_eq!(words("push 'route"), Err(FaultKind::OpenQuote));
        assert_eq!(words("status C:\\Temp"), Err(FaultKind::Backslash));
    }

    #[test]
    fn a_whole_file_has_blocks_and_faults_and_nothing_of_a_key() {
        let config = Config::parse(
            "\u{feff}port 1194\r\n<key>\nsecret\nport 7\n</key>\n--status /run/s.log 10\nverb \"3\npush a\npush b\n<ca>\nnever closed\n",
        );
        let names: Vec<(usize, &str)> = config
            .directives
            .iter()
            .map(|directive| (directive.line, directive.name.as_str()))
            .collect();
        assert_eq!(
            names,
            [(1, "port"), (2, "key"), (6, "status"), (8, "push"), (9, "push")]
        );
        assert_eq!(config.last("push").unwrap().argument(0), Some("b"));
        assert_eq!(config.last("status").unwrap().argument(1), Some("10"));
        assert_eq!(config.last("key").unwrap().arguments, [INLINE]);
        assert!(!format!("{config:?}").contains("secret"));
        let faults: Vec<String> = config.faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            faults,
            [
                "line 7: a quotation mark is not closed",
                "line 10: the block <ca> is not closed"
            ]
        );
        assert!(!config.has("management"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(?s)([a-z<>/\"'\\\\#; \r\n]|.){0,200}") {
            let config = Config::parse(&text);
            prop_assert!(config.directives.iter().all(|directive| directive.line >= 1));
        }

        #[test]
        fn quoted_words_come_back(words_in in proptest::collection::vec("[^\u{0}\r\n]{0,12}", 1..5)) {
            let quote = |word: &String| format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""));
            let line: Vec<String> = words_in.iter().map(quote).collect();
            prop_assert_eq!(words(&line.join(" ")).unwrap().0, words_in);
        }
    }
}
