//! The frozen default names.

use std::collections::BTreeMap;

use crate::names::{Reach, Rule, normalise};

/// Sensitive as the last letters of a name. Long and plain enough that no other word ends in them.
const LETTERS: &[&str] = &[
    "access_key",
    "access_token",
    "api_key",
    "auth_token",
    "authorization",
    "client_secret",
    "credential",
    "credentials",
    "id_token",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "refresh_token",
    "secret",
    "secret_key",
    "session_id",
    "token",
];

/// Sensitive as the last words of a name.
const WORDS: &[&str] = &[
    "access_key_id",
    "account_key",
    "api_keys",
    "aws_access_key_id",
    "card_number",
    "client_assertion",
    "code_verifier",
    "connection_string",
    "cookie",
    "cookies",
    "credit_card",
    "csrf",
    "cvc",
    "cvv",
    "db_pass",
    "dpop",
    "dsn",
    "encryption_key",
    "functions_key",
    "iban",
    "id_token_hint",
    "jwt",
    "jwt_assertion",
    "mysql_pwd",
    "oidc_data",
    "otp",
    "otp_code",
    "passcode",
    "password_again",
    "password_confirm",
    "password_confirmation",
    "password_hash",
    "password_repeat",
    "passwords",
    "proxy_authorization",
    "pwd",
    "saml_response",
    "secrets",
    "security_code",
    "set_cookie",
    "signing_key",
    "ssn",
    "subscription_key",
    "user_pass",
    "x_amz_credential",
    "x_amz_security_token",
    "x_amz_signature",
    "x_api_key",
    "x_auth_token",
    "x_csrf_token",
    "x_goog_credential",
    "x_goog_signature",
    "xsrf",
];

/// Sensitive only as a whole name: as the last word of a longer one they mostly mean something else.
const WHOLE: &[&str] = &[
    "auth",
    "bearer",
    "card",
    "pass",
    "phpsessid",
    "pin",
    "session",
    "sid",
    "sig",
    "signature",
    "tokens",
    "two_factor",
];

/// The default set, by normalised name.
pub(crate) fn rules() -> BTreeMap<Box<[u8]>, Rule> {
    [(LETTERS, Reach::Letters), (WORDS, Reach::Words), (WHOLE, Reach::Whole)]
        .into_iter()
        .flat_map(|(names, reach)| names.iter().map(move |name| (name, reach)))
        .filter_map(|(name, reach)| Some((normalise(name)?, Rule { reach: Some(reach), ..Rule::default() })))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{LETTERS, WHOLE, WORDS};

    #[test]
    fn the_documented_table_is_the_one_in_use() {
        let docs = include_str!("lib.rs");
        for (row, names) in
            [("the last letters", LETTERS), ("the last words", WORDS), ("the whole name", WHOLE)]
        {
            let row = docs.lines().find(|line| line.contains(&format!("| {row}"))).unwrap();
            let listed = row.rsplit('|').nth(1).unwrap();
            let expected = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" ");
            assert_eq!(listed.trim(), expected);
        }
    }
}
