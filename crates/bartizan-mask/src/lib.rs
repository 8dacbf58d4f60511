//! The one masker: secrets by name, path and shape in headers, cookies, queries, paths, bodies and text.
//!
//! Whatever leaves the process (log lines, span attributes, health details) goes through one
//! [`Masker`], so that a name that is secret in one of them is secret in all.
//!
//! ```
//! use bartizan_mask::Masker;
//!
//! let masker = Masker::builder().name("tax_id").build()?;
//!
//! assert_eq!(masker.query_cow("page=2&api_key=4f2a"), "page=2&api_key=[REDACTED]");
//! assert_eq!(masker.path_cow("/reset/4f2a", "/reset/{token}"), "/reset/[REDACTED]");
//! assert_eq!(masker.text_cow("login failed: password=4f2a"), "login failed: password=[REDACTED]");
//! assert_eq!(masker.censor_for("customerTaxId"), Some("[REDACTED]"));
//! assert_eq!(masker.masked_total(), 4);
//! # Ok::<(), bartizan_mask::MaskError>(())
//! ```
//!
//! # Which names
//!
//! Letter case, `-`, `_`, blanks and camelCase make no difference, and percent-encoding is undone:
//! `X-Api-Key`, `xApiKey` and `x%5Fapi_key` are one name. A number at the end does not count
//! (`password2`). A name is split into segments at `.`, brackets and other punctuation, and those into
//! words at `-`, `_`, blanks and capitals; a default name then hides
//!
//! | as | for example | names |
//! |---|---|---|
//! | the last letters | `password`, `newPassword`, `dbpassword` | `access_key` `access_token` `api_key` `auth_token` `authorization` `client_secret` `credential` `credentials` `id_token` `passphrase` `passwd` `password` `private_key` `refresh_token` `secret` `secret_key` `session_id` `token` |
//! | the last words | `ssn`, `user_ssn`, `customerSsn` | `access_key_id` `account_key` `api_keys` `aws_access_key_id` `card_number` `client_assertion` `code_verifier` `connection_string` `cookie` `cookies` `credit_card` `csrf` `cvc` `cvv` `db_pass` `dpop` `dsn` `encryption_key` `functions_key` `iban` `id_token_hint` `jwt` `jwt_assertion` `mysql_pwd` `oidc_data` `otp` `otp_code` `passcode` `password_again` `password_confirm` `password_confirmation` `password_hash` `password_repeat` `passwords` `proxy_authorization` `pwd` `saml_response` `secrets` `security_code` `set_cookie` `signing_key` `ssn` `subscription_key` `user_pass` `x_amz_credential` `x_amz_security_token` `x_amz_signature` `x_api_key` `x_auth_token` `x_csrf_token` `x_goog_credential` `x_goog_signature` `xsrf` |
//! | the whole name, or its last segment | `pin`, `card.pin` | `auth` `bearer` `card` `pass` `phpsessid` `pin` `session` `sid` `sig` `signature` `tokens` `two_factor` |
//!
//! A cookie's name is judged more strictly: for it, whole names count as last words too
//! (`laravel_session`).
//!
//! So `password_reset_url`, `token_count`, `session_count`, `gpio_pin` and `spinner` are shown. What
//! stands before a bracket names all that is inside (`token[value]`). Of two entries that match, the
//! longer one decides, and a name that was [allowed](MaskerBuilder::allow) is shown. Names that a
//! user adds hide as last words; [`whole_name`](MaskerBuilder::whole_name) adds one that does not. A name
//! longer than 128 bytes, percent-decoded, is sensitive. Letters outside ASCII are compared as they
//! are.
//!
//! Other rules are for the user to add:
//!
//! | rule | by |
//! |---|---|
//! | names, and names that are shown after all | [`name`](MaskerBuilder::name), [`whole_name`](MaskerBuilder::whole_name), [`allow`](MaskerBuilder::allow) |
//! | paths of JSON documents: `user.cards[*].number`, `**.pin` | [`path`](MaskerBuilder::path), [`allow_path`](MaskerBuilder::allow_path) |
//! | everything but what is named | [`show_only`](MaskerBuilder::show_only) |
//! | values by their shape: cards, tokens, e-mail addresses | [`value`](MaskerBuilder::value), `pattern` |
//! | what stands for a value: another text, nothing, its last four characters, a pseudonym | [`Action`] |
//! | rules of their own for some routes | [`route`](MaskerBuilder::route) |
//!
//! # What is written
//!
//! Most writers take any [`fmt::Write`](core::fmt::Write), allocate nothing of their own where there is nothing to mask, and return how
//! many values they masked. A masked value is replaced by the censor, `[REDACTED]` by default, and nothing
//! tells its length. An empty value stays. What was masked already stays and is not counted again.
//!
//! | input | by | bytes outside printable ASCII |
//! |---|---|---|
//! | header, with cookies | [`Masker::header`], [`Masker::header_value`] | `\xNN` |
//! | query, form | [`Masker::query`], [`Masker::form`] | `%NN` |
//! | path | [`Masker::path`] | `%NN` |
//! | URL | [`Masker::url`] | `%NN` |
//! | text: messages, `Debug` output, error chains | [`Masker::text`] | kept |
//! | field of an event or a span | [`Masker::censor_for`], else [`Masker::text`] | kept |
//! | SQL statement | [`Masker::sql`] | kept |
//! | JSON as a stream, JSON lines | [`Masker::json`], [`Masker::ndjson`] | kept |
//! | captured body, by its content type | [`Masker::body`] | by type |
//! | JSON tree | `Masker::json_value`, with the feature `json` | kept |
//!
//! # When in doubt
//!
//! The masker hides: a broken escape, a quote or a bracket that is never closed, or a pair inside a value
//! masks what follows rather than show it. It reads no meaning: a secret that stands under an
//! innocent name or in prose is shown.
//!
//! # Cost
//!
//! A name costs one hash of its last letters, in most cases; an input without `=`, `:`, `%` and `@` one look at 16 bytes at a
//! time. The JSON masker takes about a quarter of the time of `serde_json` reading the document into a tree and writing it
//! back, and a few hundred bytes whatever its length (`cargo bench -p bartizan-mask --bench json`):
//!
//! | document of 1 MB | ms | MB/s |
//! |---|---|---|
//! | [`JsonMasker`], default names | 1.8 | 543 |
//! | `serde_json`, nothing masked | 7.2 | 138 |
//! | `serde_json`, a list of paths redacted in the tree | 7.7 | 130 |
//!
//! Measured on a shared virtual machine; compare the rows, not the figures.
//!
//! # Proof
//!
//! Secrets planted in random documents, cut and split at every byte, must not come out: 10 000 cases for each suite, more
//! with `BARTIZAN_MASK_CASES=10000000 cargo test --release -p bartizan-mask`. The same harness is there for a service's
//! own routes, as the module `testing`. In `fuzz/` are targets for `cargo fuzz` (`RUSTC_BOOTSTRAP=1 cargo fuzz run -s none
//! json` on a stable compiler), and a test replays what they kept.
//!
//! # Features
//!
//! - `gzip`: [`Masker::body`] unpacks `gzip` and `deflate`, with `flate2`.
//! - `hmac`: `Action::Pseudonym`, with `hmac` and `sha2`.
//! - `json`: `Masker::json_value`, with `serde_json`.
//! - `regex`: `MaskerBuilder::pattern`, with `regex`.
//! - `testing`: the module `testing`, a harness that plants secrets and looks for them.

mod action;
mod body;
mod builder;
mod content;
mod defaults;
mod edit;
mod error;
mod header;
mod json;
mod look;
mod masker;
mod multipart;
mod names;
mod nested;
mod path;
mod percent;
mod policy;
#[cfg(feature = "hmac")]
mod pseudonym;
mod query;
mod shown;
mod sql;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod text;
mod url;
mod values;

pub use action::Action;
pub use body::{BodyForm, MaskedBody};
pub use builder::MaskerBuilder;
pub use error::MaskError;
pub use json::{JsonEnd, JsonMasker};
pub use masker::Masker;
pub use values::ValueKind;
