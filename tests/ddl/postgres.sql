-- vonage-audit table 1.0.0 for postgres
-- for psql, from the CSV files of `--format csv`; run again after each export
-- the guard before formulas is taken away; for files that were written without it: psql -v guard=off
\set ON_ERROR_STOP on
\if :{?guard}
\else
\set guard on
\endif
CREATE TABLE IF NOT EXISTS audit_events (
  id text,
  event_type text,
  event_type_description text,
  created_at timestamptz,
  user_email text,
  user_id text,
  account_id text,
  source text,
  source_ip text,
  source_description text,
  source_country text,
  link_self_href text,
  event_category text,
  event_action text,
  actor text,
  target_type text,
  target_id text,
  target_account_id text,
  target_application_id text,
  target_msisdn text,
  target_country text,
  target_ip text,
  context_json text,
  unmapped_json text,
  context__country text,
  context__msisdn text,
  context__account text,
  context__account_id text,
  context__application_id text,
  context__app_id text,
  context__voice_type text,
  context__voice_value text,
  context__http text,
  context__created__account_id text,
  context__created__app_id text,
  context__created__name text,
  context__created__type text,
  context__created__answer_url__method text,
  context__created__answer_url__url text,
  context__created__event_url__method text,
  context__created__event_url__url text,
  PRIMARY KEY (id)
);
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS id text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS event_type text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS event_type_description text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS created_at timestamptz;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS user_email text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS user_id text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS account_id text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS source text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS source_ip text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS source_description text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS source_country text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS link_self_href text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS event_category text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS event_action text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS actor text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS target_type text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS target_id text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS target_account_id text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS target_application_id text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS target_msisdn text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS target_country text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS target_ip text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context_json text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS unmapped_json text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__country text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__msisdn text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__account text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__account_id text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__application_id text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__app_id text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__voice_type text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__voice_value text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__http text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__created__account_id text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__created__app_id text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__created__name text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__created__type text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__created__answer_url__method text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__created__answer_url__url text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__created__event_url__method text;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__created__event_url__url text;
BEGIN;
CREATE FUNCTION pg_temp.unguarded(text) RETURNS text LANGUAGE sql IMMUTABLE AS
$$SELECT CASE WHEN starts_with($1, '''') THEN substr($1, 2) ELSE $1 END$$;
CREATE TEMP TABLE audit_events_load (LIKE audit_events) ON COMMIT DROP;
\copy audit_events_load (id, event_type, event_type_description, created_at, user_email, user_id, account_id, source, source_ip, source_description, source_country, link_self_href, event_category, event_action, actor, target_type, target_id, target_account_id, target_application_id, target_msisdn, target_country, target_ip, context_json, unmapped_json, context__country, context__msisdn, context__account, context__account_id, context__application_id, context__app_id, context__voice_type, context__voice_value, context__http, context__created__account_id, context__created__app_id, context__created__name, context__created__type, context__created__answer_url__method, context__created__answer_url__url, context__created__event_url__method, context__created__event_url__url) FROM PROGRAM 'find "exports/audit/csv" -name "*.csv" -type f -print0 | sort -z | xargs -0 -r awk -F, "FNR == 1 { take = NF == 41; next } take"' (FORMAT csv)
\if :guard
INSERT INTO audit_events (id, event_type, event_type_description, created_at, user_email, user_id, account_id, source, source_ip, source_description, source_country, link_self_href, event_category, event_action, actor, target_type, target_id, target_account_id, target_application_id, target_msisdn, target_country, target_ip, context_json, unmapped_json, context__country, context__msisdn, context__account, context__account_id, context__application_id, context__app_id, context__voice_type, context__voice_value, context__http, context__created__account_id, context__created__app_id, context__created__name, context__created__type, context__created__answer_url__method, context__created__answer_url__url, context__created__event_url__method, context__created__event_url__url)
SELECT pg_temp.unguarded(id), pg_temp.unguarded(event_type), pg_temp.unguarded(event_type_description), created_at, pg_temp.unguarded(user_email), pg_temp.unguarded(user_id), pg_temp.unguarded(account_id), pg_temp.unguarded(source), pg_temp.unguarded(source_ip), pg_temp.unguarded(source_description), pg_temp.unguarded(source_country), pg_temp.unguarded(link_self_href), pg_temp.unguarded(event_category), pg_temp.unguarded(event_action), pg_temp.unguarded(actor), pg_temp.unguarded(target_type), pg_temp.unguarded(target_id), pg_temp.unguarded(target_account_id), pg_temp.unguarded(target_application_id), pg_temp.unguarded(target_msisdn), pg_temp.unguarded(target_country), pg_temp.unguarded(target_ip), pg_temp.unguarded(context_json), pg_temp.unguarded(unmapped_json), pg_temp.unguarded(context__country), pg_temp.unguarded(context__msisdn), pg_temp.unguarded(context__account), pg_temp.unguarded(context__account_id), pg_temp.unguarded(context__application_id), pg_temp.unguarded(context__app_id), pg_temp.unguarded(context__voice_type), pg_temp.unguarded(context__voice_value), pg_temp.unguarded(context__http), pg_temp.unguarded(context__created__account_id), pg_temp.unguarded(context__created__app_id), pg_temp.unguarded(context__created__name), pg_temp.unguarded(context__created__type), pg_temp.unguarded(context__created__answer_url__method), pg_temp.unguarded(context__created__answer_url__url), pg_temp.unguarded(context__created__event_url__method), pg_temp.unguarded(context__created__event_url__url) FROM audit_events_load
ON CONFLICT (id) DO NOTHING;
\else
INSERT INTO audit_events (id, event_type, event_type_description, created_at, user_email, user_id, account_id, source, source_ip, source_description, source_country, link_self_href, event_category, event_action, actor, target_type, target_id, target_account_id, target_application_id, target_msisdn, target_country, target_ip, context_json, unmapped_json, context__country, context__msisdn, context__account, context__account_id, context__application_id, context__app_id, context__voice_type, context__voice_value, context__http, context__created__account_id, context__created__app_id, context__created__name, context__created__type, context__created__answer_url__method, context__created__answer_url__url, context__created__event_url__method, context__created__event_url__url)
SELECT id, event_type, event_type_description, created_at, user_email, user_id, account_id, source, source_ip, source_description, source_country, link_self_href, event_category, event_action, actor, target_type, target_id, target_account_id, target_application_id, target_msisdn, target_country, target_ip, context_json, unmapped_json, context__country, context__msisdn, context__account, context__account_id, context__application_id, context__app_id, context__voice_type, context__voice_value, context__http, context__created__account_id, context__created__app_id, context__created__name, context__created__type, context__created__answer_url__method, context__created__answer_url__url, context__created__event_url__method, context__created__event_url__url FROM audit_events_load
ON CONFLICT (id) DO NOTHING;
\endif
DROP FUNCTION pg_temp.unguarded(text);
COMMIT;

DROP VIEW IF EXISTS v_account_secret_create;
CREATE VIEW v_account_secret_create AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'ACCOUNT_SECRET_CREATE';

DROP VIEW IF EXISTS v_account_secret_delete;
CREATE VIEW v_account_secret_delete AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'ACCOUNT_SECRET_DELETE';

DROP VIEW IF EXISTS v_account_update_settings;
CREATE VIEW v_account_update_settings AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'ACCOUNT_UPDATE_SETTINGS';

DROP VIEW IF EXISTS v_account_update_settings_api;
CREATE VIEW v_account_update_settings_api AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'ACCOUNT_UPDATE_SETTINGS_API';

DROP VIEW IF EXISTS v_account_update_spammer;
CREATE VIEW v_account_update_spammer AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'ACCOUNT_UPDATE_SPAMMER';

DROP VIEW IF EXISTS v_app_create;
CREATE VIEW v_app_create AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  context__app_id AS app_id,
  context__created__account_id AS created__account_id,
  context__created__app_id AS created__app_id,
  context__created__name AS created__name,
  context__created__type AS created__type,
  context__created__answer_url__method AS created__answer_url__method,
  context__created__answer_url__url AS created__answer_url__url,
  context__created__event_url__method AS created__event_url__method,
  context__created__event_url__url AS created__event_url__url,
  unmapped_json
FROM audit_events
WHERE event_type = 'APP_CREATE';

DROP VIEW IF EXISTS v_app_delete;
CREATE VIEW v_app_delete AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'APP_DELETE';

DROP VIEW IF EXISTS v_app_disable;
CREATE VIEW v_app_disable AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'APP_DISABLE';

DROP VIEW IF EXISTS v_app_enable;
CREATE VIEW v_app_enable AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'APP_ENABLE';

DROP VIEW IF EXISTS v_app_update;
CREATE VIEW v_app_update AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'APP_UPDATE';

DROP VIEW IF EXISTS v_autoreload_disable;
CREATE VIEW v_autoreload_disable AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'AUTORELOAD_DISABLE';

DROP VIEW IF EXISTS v_autoreload_enable;
CREATE VIEW v_autoreload_enable AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'AUTORELOAD_ENABLE';

DROP VIEW IF EXISTS v_autoreload_update;
CREATE VIEW v_autoreload_update AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'AUTORELOAD_UPDATE';

DROP VIEW IF EXISTS v_ip_whitelist_create;
CREATE VIEW v_ip_whitelist_create AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'IP_WHITELIST_CREATE';

DROP VIEW IF EXISTS v_ip_whitelist_delete;
CREATE VIEW v_ip_whitelist_delete AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'IP_WHITELIST_DELETE';

DROP VIEW IF EXISTS v_number_assign;
CREATE VIEW v_number_assign AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'NUMBER_ASSIGN';

DROP VIEW IF EXISTS v_number_linked;
CREATE VIEW v_number_linked AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  context__country AS country,
  context__msisdn AS msisdn,
  context__account AS account,
  context__application_id AS application_id,
  unmapped_json
FROM audit_events
WHERE event_type = 'NUMBER_LINKED';

DROP VIEW IF EXISTS v_number_release;
CREATE VIEW v_number_release AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'NUMBER_RELEASE';

DROP VIEW IF EXISTS v_number_unlinked;
CREATE VIEW v_number_unlinked AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  context__country AS country,
  context__msisdn AS msisdn,
  context__account AS account,
  context__application_id AS application_id,
  unmapped_json
FROM audit_events
WHERE event_type = 'NUMBER_UNLINKED';

DROP VIEW IF EXISTS v_number_updated;
CREATE VIEW v_number_updated AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  context__country AS country,
  context__msisdn AS msisdn,
  context__account_id,
  context__voice_type AS voice_type,
  context__voice_value AS voice_value,
  context__http AS http,
  unmapped_json
FROM audit_events
WHERE event_type = 'NUMBER_UPDATED';

DROP VIEW IF EXISTS v_number_user_canceled;
CREATE VIEW v_number_user_canceled AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'NUMBER_USER_CANCELED';

DROP VIEW IF EXISTS v_user_api_keys_update;
CREATE VIEW v_user_api_keys_update AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'USER_API_KEYS_UPDATE';

DROP VIEW IF EXISTS v_user_billing_update;
CREATE VIEW v_user_billing_update AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'USER_BILLING_UPDATE';

DROP VIEW IF EXISTS v_user_create;
CREATE VIEW v_user_create AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'USER_CREATE';

DROP VIEW IF EXISTS v_user_login;
CREATE VIEW v_user_login AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'USER_LOGIN';

DROP VIEW IF EXISTS v_user_logout;
CREATE VIEW v_user_logout AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'USER_LOGOUT';

DROP VIEW IF EXISTS v_user_product_search;
CREATE VIEW v_user_product_search AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'USER_PRODUCT_SEARCH';

DROP VIEW IF EXISTS v_user_status;
CREATE VIEW v_user_status AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'USER_STATUS';

DROP VIEW IF EXISTS v_user_update;
CREATE VIEW v_user_update AS
SELECT
  id,
  event_type,
  event_type_description,
  created_at,
  user_email,
  user_id,
  account_id,
  source,
  source_ip,
  source_description,
  source_country,
  link_self_href,
  event_category,
  event_action,
  actor,
  target_type,
  target_id,
  target_account_id,
  target_application_id,
  target_msisdn,
  target_country,
  target_ip,
  context_json,
  unmapped_json
FROM audit_events
WHERE event_type = 'USER_UPDATE';
