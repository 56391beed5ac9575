//! Contexts by event type. The shapes of four types are published; all others are plausible and nothing more.
//!
//! What lives here: one function per group of types. What this file must not know: the event around the context.

use super::super::clock;
use super::super::random::Random;
use super::json::{self, Object};
use super::people;
use super::{app, seeded::Uuid};

/// Appends the context of an event of this type as a JSON object.
pub(super) fn write(name: &str, account: &str, seconds: i64, random: &mut Random, out: &mut Vec<u8>) {
    let mut context = Object::start(out);
    match name {
        "APP_CREATE" | "APP_UPDATE" | "APP_DELETE" | "APP_DISABLE" | "APP_ENABLE" => {
            application(name, account, random, &mut context);
        }
        "NUMBER_LINKED" | "NUMBER_UNLINKED" => {
            context.text("country", people::country(random)).text("account", account);
            context.text("msisdn", &people::msisdn(random));
            context.text("applicationId", &Uuid::other(random).to_string());
        }
        "NUMBER_UPDATED" => number_updated(account, random, &mut context),
        "NUMBER_ASSIGN" | "NUMBER_RELEASE" | "NUMBER_USER_CANCELED" => {
            context.text("country", people::country(random)).text("msisdn", &people::msisdn(random));
            context.text("accountId", account);
        }
        "USER_PRODUCT_SEARCH" => search(seconds, random, &mut context),
        "USER_LOGIN" | "USER_LOGOUT" => {}
        _ if name.starts_with("USER_") => user(name, account, random, &mut context),
        _ => about_account(name, account, random, &mut context),
    }
    context.end();
}

fn application(name: &str, account: &str, random: &mut Random, context: &mut Object<'_>) {
    let id = Uuid::other(random);
    context.text("appId", &id.to_string());
    let parts: &[&str] = match name {
        "APP_CREATE" => &["created"],
        "APP_UPDATE" => &["old", "updated"],
        "APP_DELETE" => &["deleted"],
        _ => &[],
    };
    for part in parts {
        let mut inner = context.object(part);
        app::members(&mut inner, account, id, random);
        inner.end();
    }
    if parts.is_empty() {
        context.text("accountId", account);
    }
}

fn number_updated(account: &str, random: &mut Random, context: &mut Object<'_>) {
    context.text("country", people::country(random)).text("msisdn", &people::msisdn(random));
    if random.chance(400) {
        let url = random.word(&[
            "http://example.com:9000/webhooks/inbound-sms",
            "https://example.org/my-app-callback",
            "https://example.com/in?token=0123456789abcdef",
            "",
        ]);
        context.text("http", url);
    }
    if random.chance(900) {
        let (kind, value) = match random.below(4) {
            0 => ("app", Uuid::other(random).to_string()),
            1 => ("sip", format!("sip:user{}@example12.com", random.below(100))),
            2 => ("tel", people::msisdn(random)),
            _ => ("vxml", "https://example.com/vxml?a=1&b=%7B2%7D".to_owned()),
        };
        context.text("voice-type", kind).text("voice-value", &value);
    }
    if random.chance(600) {
        context.text("accountId", account);
    }
}

fn search(seconds: i64, random: &mut Random, context: &mut Object<'_>) {
    let mut day = Vec::with_capacity(19);
    clock::write(seconds, &mut day);
    day.truncate(10);
    let day = String::from_utf8_lossy(&day).into_owned();
    context.text("product", random.word(&["SMS", "VOICE", "VERIFY", "NUMBER-INSIGHT"]));
    context.text("dateFrom", &day).text("dateTo", &day);
    if random.chance(700) {
        context.text("to", &people::msisdn(random));
    } else {
        context.raw("to", "null");
    }
}

fn user(name: &str, account: &str, random: &mut Random, context: &mut Object<'_>) {
    let number = random.below(500);
    context.text("email", &format!("member{number}@example.com"));
    match name {
        "USER_STATUS" => {
            context.number("userId", 7_000_000 + number);
            let mut status = context.object("status");
            status.text("old", "ACTIVE").text("new", random.word(&["DISABLED", "LOCKED"]));
            status.end();
        }
        "USER_UPDATE" => {
            let mut updated = context.object("updated");
            updated.text("firstName", random.word(&["Ada", "Zoë", "O'Brien", "太郎"]));
            updated.text("company", random.word(&["Example Ltd", "Example, Inc.", "Müller & Söhne"]));
            updated.text("vatNumber", random.word(&["GB000000000", "007", "0000012"]));
            updated.end();
        }
        "USER_CREATE" => {
            context.number("userId", 7_000_000 + number);
            context.raw("roles", random.word(&[r#"["NUMBERS","REPORTS"]"#, r#"["ADMIN"]"#, "[]"]));
        }
        "USER_API_KEYS_UPDATE" => {
            let keys = context.key("apiKeys");
            keys.push(b'[');
            json::string(account, keys);
            keys.extend_from_slice(b",\"ef567890\"]");
            context.raw("added", r#"["ef567890"]"#).raw("removed", "[]");
        }
        _ => {
            context.text("invoiceEmail", "finance@example.com").raw("balanceAlert", "true");
            context.raw("balanceThreshold", random.word(&["10", "10.0", "10.00", "1.0E+1", "-0"]));
        }
    }
}

fn about_account(name: &str, account: &str, random: &mut Random, context: &mut Object<'_>) {
    context.text("accountId", account);
    match name {
        "ACCOUNT_SECRET_CREATE" | "ACCOUNT_SECRET_DELETE" => {
            context.text("secretId", &Uuid::other(random).to_string());
        }
        "ACCOUNT_UPDATE_SETTINGS" => {
            context.text("mo-callback-url", "https://example.com/webhooks/inbound-sms");
            context
                .text("dr-callback-url", random.word(&["https://example.com/webhooks/delivery-receipt", ""]));
        }
        "ACCOUNT_UPDATE_SETTINGS_API" => {
            context.text("moCallBackUrl", "https://example.com/webhooks/inbound-sms");
            context.raw("drCallBackUrl", random.word(&[r#""https://example.com/webhooks/dr""#, "null"]));
        }
        "ACCOUNT_UPDATE_SPAMMER" => {
            context.raw("spammer", "true");
        }
        "IP_WHITELIST_CREATE" | "IP_WHITELIST_DELETE" => {
            let range = if random.chance(200) { "2001:db8::/32".to_owned() } else { people::ip(random) };
            context.text("ip", &range);
        }
        "AUTORELOAD_ENABLE" | "AUTORELOAD_UPDATE" => {
            context.raw("amount", random.word(&["50", "100.5", "100.50", "1E+3", "0.1"]));
            context.number("threshold", 10 * random.below(10));
            context.text("paymentMethod", random.word(&["PAYPAL", "CARD"]));
        }
        _ => {}
    }
}
