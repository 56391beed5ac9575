//! Applications in contexts: the older shape with URLs and the newer one with capabilities.
//!
//! What lives here: names that are hard to carry and the two shapes. The older shape is published, the newer one is
//! that of another published API and plausible here. What this file must not know: event types.

use super::super::random::Random;
use super::json::Object;
use super::seeded::Uuid;

/// Names that break what carries them: quotes, line ends, other scripts, formulas, numbers that are texts.
const NAMES: [&str; 18] = [
    "My voice app",
    "Demo Application",
    "Zoë’s \"quoted\" app",
    "line one\nline two",
    "電話アプリ",
    "Приложение для звонков",
    "=HYPERLINK(\"http://example.com/?leak\",\"click\")",
    "00042",
    "comma, semicolon; tab\there",
    "emoji 📞👩‍💻",
    "  padded  ",
    "",
    "null",
    "C:\\apps\\voice",
    "שלום",
    "carriage\r\nreturn",
    "bell \u{7} and unit \u{1f}",
    "1e5",
];

/// Appends an application's members to an open object.
pub(super) fn members(object: &mut Object<'_>, account: &str, app: Uuid, random: &mut Random) {
    let name = random.word(&NAMES);
    object.text("accountId", account).text("appId", &app.to_string()).text("name", name);
    if random.chance(400) {
        urls(object, random);
    } else {
        capabilities(object, random);
    }
}

fn urls(object: &mut Object<'_>, random: &mut Random) {
    let scheme = if random.chance(300) { "http" } else { "https" };
    let number = random.below(50);
    let mut answer = object.object("answer_url");
    answer.text("method", "GET").text("url", &format!("{scheme}://example.org/call/{number}?a=1&b=%7B2%7D"));
    answer.end();
    object.text("type", "voice");
    let mut event = object.object("event_url");
    event.text("method", "POST").text("url", &format!("{scheme}://example.org/event/{number}"));
    event.end();
}

fn capabilities(object: &mut Object<'_>, random: &mut Random) {
    let mut capabilities = object.object("capabilities");
    if random.chance(700) {
        let mut voice = capabilities.object("voice");
        let mut hooks = voice.object("webhooks");
        let mut answer = hooks.object("answer_url");
        answer.text("address", "https://example.com/webhooks/answer").text("http_method", "GET");
        answer.number("connection_timeout", 500).number("socket_timeout", 1000 * (1 + random.below(5)));
        answer.end();
        let mut event = hooks.object("event_url");
        event.text("address", "https://example.com/webhooks/event").text("http_method", "POST");
        event.end();
        hooks.end();
        voice.end();
    }
    if random.chance(400) {
        let mut messages = capabilities.object("messages");
        let mut hooks = messages.object("webhooks");
        for name in ["inbound_url", "status_url"] {
            let mut hook = hooks.object(name);
            hook.text("address", "https://example.com/webhooks/messages").text("http_method", "POST");
            hook.end();
        }
        hooks.end();
        messages.end();
    }
    if random.chance(300) {
        capabilities.raw("vbc", "{}");
    }
    capabilities.end();
    if random.chance(200) {
        let mut privacy = object.object("privacy");
        privacy.raw("improve_ai", if random.chance(500) { "true" } else { "false" });
        privacy.end();
    }
}
