//! OpenVPN's configuration files.

use openvpn::client_config::parse_client_config;
use openvpn::config::{Config, Directive};
use openvpn::network::Network;
use openvpn::routes::{Route, RouteKind};
use openvpn::server_config::parse_server_config;

/// A file of the client configuration directory says the same when each word of it is quoted.
pub(crate) fn client_config(input: &[u8]) {
    let text = crate::text(input);
    let config = parse_client_config(&text);
    config.routes.iter().for_each(can_be_told);
    assert_eq!(parse_client_config(&quoted(&text)), config);
}

/// So does a server's configuration.
pub(crate) fn server_config(input: &[u8]) {
    let text = crate::text(input);
    let config = parse_server_config(&text);
    config.routes.iter().for_each(can_be_told);
    assert!(config.routes.iter().all(|route| route.kind == RouteKind::Push));
    assert_eq!(parse_server_config(&quoted(&text)), config);
}

/// The product is told a network as text.
fn can_be_told(route: &Route) {
    assert_eq!(route.network.to_string().parse::<Network>(), Ok(route.network));
}

/// The same configuration, written plainly.
fn quoted(text: &str) -> String {
    let config = Config::parse(text);
    assert!(config.directives.windows(2).all(|pair| pair[0].line < pair[1].line));
    let written: String = config.directives.iter().map(line).collect();
    let again = Config::parse(&written);
    let said = |config: &Config| -> Vec<Directive> {
        let directives = config.directives.iter().cloned();
        directives.map(|directive| Directive { line: 0, ..directive }).collect()
    };
    assert_eq!(said(&again), said(&config));
    assert_eq!(again.faults, []);
    written
}

/// With the dashes of the command line, `--ca "[inline]"` for a block: no name is taken for anything else.
fn line(directive: &Directive) -> String {
    let quote = |word: &String| format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""));
    let name = match directive.name.is_empty() {
        true => String::new(),
        false => format!("--{}", directive.name),
    };
    let words: Vec<String> = std::iter::once(&name).chain(&directive.arguments).map(quote).collect();
    let comment = directive.comment.iter().map(|comment| format!(" # {comment}"));
    format!("{}{}\n", words.join(" "), comment.collect::<String>())
}
