//! A seeded event as JSON.
//!
//! What lives here: the members around the context, and how often they are absent, null or spelt otherwise. That
//! they can be is documented or seen for absent users, wordings, link schemes and letter case, and assumed for the
//! rest. What this file must not know: which events are asked for.

use super::super::clock;
use super::super::random::Random;
use super::json::Object;
use super::people::{self, User};
use super::seeded::Seeded;
use super::{KINDS, context};

/// Who caused an event.
enum Actor {
    Dashboard(User),
    Api,
    Admin,
}

/// Appends event `k`, which happened at this second and is of this type.
pub(super) fn event(seeded: &Seeded, k: u32, seconds: i64, kind: u16, out: &mut Vec<u8>) {
    let Some(kind) = KINDS.get(usize::from(kind)) else {
        return;
    };
    let mut random = Random::new(seeded.seed() ^ 0x0065_7665_6e74, u64::from(k));
    let actor = actor(kind.name, seeded.seed(), &mut random);
    let links_first = !random.chance(100);
    let https = random.chance(30);
    let mut id = Vec::with_capacity(36);
    seeded.id(k).write(&mut id);

    let mut event = Object::start(out);
    if links_first {
        links(&mut event, &id, https);
    }
    quoted(event.key("id"), &id);
    event.text("event_type", kind.name);
    event.text("event_type_description", if random.chance(60) { kind.variant } else { kind.description });
    let time = event.key("created_at");
    time.push(b'"');
    clock::write(seconds, time);
    time.push(b'"');
    who(&mut event, &actor, &mut random);
    event.text("account_id", seeded.account());
    from_where(&mut event, &actor, &mut random);
    match random.below(1000) {
        0..4 => {
            event.raw("context", "null");
        }
        4..20 => {
            event.raw("context", "{}");
        }
        20..40 => {}
        _ if kind.name == "USER_LOGIN" => {}
        _ => context::write(kind.name, seeded.account(), seconds, &mut random, event.key("context")),
    }
    if !links_first {
        links(&mut event, &id, https);
    }
    event.end();
}

fn actor(name: &str, seed: u64, random: &mut Random) -> Actor {
    let api = match name {
        "ACCOUNT_UPDATE_SPAMMER" => return Actor::Admin,
        "ACCOUNT_UPDATE_SETTINGS_API" => 1000,
        _ if name.starts_with("NUMBER_") => 450,
        _ if name.starts_with("USER_") => 0,
        _ => 200,
    };
    if random.chance(api) { Actor::Api } else { Actor::Dashboard(people::user(seed, random)) }
}

fn who(event: &mut Object<'_>, actor: &Actor, random: &mut Random) {
    let Actor::Dashboard(user) = actor else {
        return;
    };
    match random.below(1000) {
        0..3 => {
            event.raw("user_email", "null").raw("user_id", "null");
        }
        3..5 => {
            event.text("user_email", "").number("user_id", user.id);
        }
        5..8 => {
            event.text("user_email", &user.email).text("user_id", &user.id.to_string());
        }
        _ => {
            event.text("user_email", &user.email).number("user_id", user.id);
        }
    }
}

fn from_where(event: &mut Object<'_>, actor: &Actor, random: &mut Random) {
    match actor {
        Actor::Dashboard(user) => {
            event.text("source", "CD");
            if random.chance(100) {
                event.text("source_ip", &people::ip(random));
            } else {
                event.text("source_ip", &user.ip);
            }
            let description = if random.chance(80) { "Customer Dashboard" } else { "Customer dashboard" };
            event.text("source_description", description);
            if !random.chance(10) {
                event.text("source_country", user.country);
            }
        }
        Actor::Api => {
            event.text("source", if random.chance(5) { "devapi" } else { "DEVAPI" });
            event.text("source_ip", &people::ip(random)).text("source_description", "Developer API");
            if random.chance(800) {
                event.text("source_country", people::country(random));
            }
        }
        Actor::Admin => {
            event.text("source", "ADMIN").text("source_description", "ADMIN");
        }
    }
}

fn links(event: &mut Object<'_>, id: &[u8], https: bool) {
    let out = event.key("_links");
    let start: &[u8] = if https {
        b"{\"self\":{\"href\":\"https://api.nexmo.com/beta/audit/events/"
    } else {
        b"{\"self\":{\"href\":\"http://api.nexmo.com/beta/audit/events/"
    };
    out.extend_from_slice(start);
    out.extend_from_slice(id);
    out.extend_from_slice(b"\"}}");
}

fn quoted(out: &mut Vec<u8>, id: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(id);
    out.push(b'"');
}
