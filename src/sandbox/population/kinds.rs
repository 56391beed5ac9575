//! The 29 documented event types, how they are described, and how often a seeded population has them.
//!
//! What lives here: one table. Names and first descriptions are documented; that a second wording exists is seen
//! (two published lists disagree), the wording itself is plausible. What this file must not know: contexts.

/// One event type.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// The wording of the type list.
    pub(crate) description: &'static str,
    /// Another wording for the same type.
    pub(super) variant: &'static str,
    /// Share among the seeded events, relative to the sum.
    pub(super) weight: u64,
}

const fn kind(name: &'static str, description: &'static str, variant: &'static str, weight: u64) -> Kind {
    Kind { name, description, variant, weight }
}

/// The types in the order of the published lists.
pub(crate) static KINDS: [Kind; 29] = [
    kind("ACCOUNT_SECRET_CREATE", "Account secret created", "Account secret created.", 4),
    kind("ACCOUNT_SECRET_DELETE", "Account secret deleted", "Account secret deleted.", 3),
    kind("ACCOUNT_UPDATE_SETTINGS", "Account Settings updated", "Account settings updated", 25),
    kind(
        "ACCOUNT_UPDATE_SETTINGS_API",
        "Account Settings updated via API",
        "Account settings updated via API",
        20,
    ),
    kind("ACCOUNT_UPDATE_SPAMMER", "Messaging Account Banned", "Messaging account banned", 1),
    kind("APP_CREATE", "Application created", "Application created.", 40),
    kind("APP_DELETE", "Application deleted", "Application deleted.", 25),
    kind("APP_DISABLE", "Application disabled", "Application disabled.", 6),
    kind("APP_ENABLE", "Application enabled", "Application enabled.", 6),
    kind("APP_UPDATE", "Application updated", "Application updated.", 90),
    kind("AUTORELOAD_DISABLE", "Autoreload disabled", "Auto-reload disabled", 3),
    kind("AUTORELOAD_ENABLE", "Autoreload enabled", "Auto-reload enabled", 4),
    kind("AUTORELOAD_UPDATE", "Autoreload settings updated", "Auto-reload settings updated", 8),
    kind("IP_WHITELIST_CREATE", "Whitelist IP added", "IP added to whitelist", 5),
    kind("IP_WHITELIST_DELETE", "Whitelist IP deleted", "IP deleted from whitelist", 4),
    kind("NUMBER_ASSIGN", "Number assigned", "Number purchased", 70),
    kind("NUMBER_LINKED", "Number linked to application", "Number linked", 55),
    kind("NUMBER_RELEASE", "Number released", "Number released.", 40),
    kind("NUMBER_UNLINKED", "Number unlinked from application", "Number unlinked", 35),
    kind("NUMBER_UPDATED", "Number updated", "Number updated.", 150),
    kind("NUMBER_USER_CANCELED", "Number canceled by user", "Number cancelled by user", 20),
    kind("USER_API_KEYS_UPDATE", "Sub-accounts for user updated", "Subaccounts for user updated", 10),
    kind("USER_BILLING_UPDATE", "User billing updated", "User billing details updated", 8),
    kind("USER_CREATE", "User created", "User created.", 12),
    kind("USER_LOGIN", "User login into Customer dashboard", "User logged into Customer Dashboard", 220),
    kind("USER_LOGOUT", "User logout from Customer dashboard", "User logged out of Customer Dashboard", 90),
    kind("USER_PRODUCT_SEARCH", "User product search", "Product search by user", 110),
    kind("USER_STATUS", "User status updated", "User status changed", 8),
    kind("USER_UPDATE", "User updated", "User details updated", 28),
];
