-- vonage-audit table 1.0.0 for redshift
-- name the role; COPY counts columns, so load the 41-column files of this table alone: where the
-- destination also holds files of an earlier table, list them with `vonage-audit files` and use a MANIFEST
CREATE TABLE IF NOT EXISTS audit_events (
  id VARCHAR(65535),
  event_type VARCHAR(65535),
  event_type_description VARCHAR(65535),
  created_at TIMESTAMPTZ,
  user_email VARCHAR(65535),
  user_id VARCHAR(65535),
  account_id VARCHAR(65535),
  source VARCHAR(65535),
  source_ip VARCHAR(65535),
  source_description VARCHAR(65535),
  source_country VARCHAR(65535),
  link_self_href VARCHAR(65535),
  event_category VARCHAR(65535),
  event_action VARCHAR(65535),
  actor VARCHAR(65535),
  target_type VARCHAR(65535),
  target_id VARCHAR(65535),
  target_account_id VARCHAR(65535),
  target_application_id VARCHAR(65535),
  target_msisdn VARCHAR(65535),
  target_country VARCHAR(65535),
  target_ip VARCHAR(65535),
  context_json VARCHAR(65535),
  unmapped_json VARCHAR(65535),
  context__country VARCHAR(65535),
  context__msisdn VARCHAR(65535),
  context__account VARCHAR(65535),
  context__account_id VARCHAR(65535),
  context__application_id VARCHAR(65535),
  context__app_id VARCHAR(65535),
  context__voice_type VARCHAR(65535),
  context__voice_value VARCHAR(65535),
  context__http VARCHAR(65535),
  context__created__account_id VARCHAR(65535),
  context__created__app_id VARCHAR(65535),
  context__created__name VARCHAR(65535),
  context__created__type VARCHAR(65535),
  context__created__answer_url__method VARCHAR(65535),
  context__created__answer_url__url VARCHAR(65535),
  context__created__event_url__method VARCHAR(65535),
  context__created__event_url__url VARCHAR(65535)
) SORTKEY (created_at);
CREATE TEMP TABLE audit_events_load (LIKE audit_events);
COPY audit_events_load FROM 's3://bucket/audit/parquet/' IAM_ROLE default FORMAT AS PARQUET;
INSERT INTO audit_events SELECT * FROM audit_events_load AS new
  WHERE NOT EXISTS (SELECT 1 FROM audit_events AS old WHERE old.id = new.id);
DROP TABLE audit_events_load;

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
FROM public.audit_events
WHERE event_type = 'ACCOUNT_SECRET_CREATE'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'ACCOUNT_SECRET_DELETE'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'ACCOUNT_UPDATE_SETTINGS'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'ACCOUNT_UPDATE_SETTINGS_API'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'ACCOUNT_UPDATE_SPAMMER'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'APP_CREATE'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'APP_DELETE'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'APP_DISABLE'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'APP_ENABLE'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'APP_UPDATE'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'AUTORELOAD_DISABLE'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'AUTORELOAD_ENABLE'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'AUTORELOAD_UPDATE'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'IP_WHITELIST_CREATE'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'IP_WHITELIST_DELETE'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'NUMBER_ASSIGN'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'NUMBER_LINKED'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'NUMBER_RELEASE'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'NUMBER_UNLINKED'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'NUMBER_UPDATED'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'NUMBER_USER_CANCELED'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'USER_API_KEYS_UPDATE'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'USER_BILLING_UPDATE'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'USER_CREATE'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'USER_LOGIN'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'USER_LOGOUT'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'USER_PRODUCT_SEARCH'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'USER_STATUS'
WITH NO SCHEMA BINDING;

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
FROM public.audit_events
WHERE event_type = 'USER_UPDATE'
WITH NO SCHEMA BINDING;
