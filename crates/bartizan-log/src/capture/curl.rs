//! A captured request as a command.

use super::exchange::CapturedExchange;

/// Headers that belong to the connection, to the length of the body or to its encoding: curl makes its own.
const LEFT_OUT: [&str; 12] = [
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

pub(super) fn command(exchange: &CapturedExchange) -> String {
    let mut out = String::from("curl --globoff");
    let head = exchange.method == "HEAD";
    if head {
        out.push_str(" --head");
    } else {
        argument(&mut out, " -X ", exchange.method);
    }
    for (name, value) in &exchange.request_headers {
        if LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        // `name:` would take the header out.
        let header = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        argument(&mut out, " -H ", &header);
    }
    // What begins with `@` would be a file for `--data`.
    let body = exchange.request_body.as_ref().filter(|body| !body.placeholder && !head);
    if let Some(body) = body {
        argument(&mut out, " --data-raw ", &body.text);
    }
    argument(&mut out, " ", &exchange.url);
    out
}

/// Appends an argument in single quotes, in which a shell reads nothing but the closing one.
fn argument(out: &mut String, before: &str, text: &str) {
    out.push_str(before);
    out.push('\'');
    for c in text.chars() {
        match c {
            '\'' => out.push_str("'\\''"),
            // A terminal that this is pasted into would act on the others.
            '\n' | '\t' => out.push(c),
            c if c.is_control() => out.push(char::REPLACEMENT_CHARACTER),
            c => out.push(c),
        }
    }
    out.push('\'');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::process::Command;

    fn read_by_a_shell(texts: &[String]) -> Vec<String> {
        let mut script = String::from("printf '%s\\0'");
        for text in texts {
            argument(&mut script, " ", text);
        }
        let output = Command::new("sh").arg("-c").arg(script).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.strip_suffix('\0').unwrap().split('\0').map(String::from).collect()
    }

    #[test]
    fn a_shell_reads_back_what_was_quoted_whatever_it_is() {
        let hostile = [
            "",
            "'",
            "''''",
            "'; touch /tmp/owned; '",
            "$(touch /tmp/owned) `id` ${HOME} \\' \\",
            "\"!!\" !$ #comment ~ * ? [a] {a,b} & | ; < > \n second line\ttab",
            "-X --data @/etc/passwd",
            "漢字 🦀 ä",
        ]
        .map(String::from);
        assert_eq!(read_by_a_shell(&hostile), hostile);
    }

    #[test]
    fn what_a_terminal_would_act_on_is_replaced() {
        let mut out = String::new();
        argument(&mut out, "", "a\u{1b}[201~b\rc\0d\u{9b}e\u{7f}");
        assert_eq!(out, "'a\u{fffd}[201~b\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}'");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_texts_are_arguments_of_their_own(texts in prop::collection::vec("[ -~äß\n\t'\"$`\\\\]{0,40}", 1..20)) {
            prop_assert_eq!(read_by_a_shell(&texts), texts);
        }
    }
}
