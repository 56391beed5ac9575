-- vonage-audit table 1.0.0 for snowflake
-- add STORAGE_INTEGRATION = … to the stage; COPY INTO again after each export, files are loaded once
CREATE TABLE IF NOT EXISTS audit_events (
  id VARCHAR,
  event_type VARCHAR,
  event_type_description VARCHAR,
  created_at TIMESTAMP_TZ(6),
  user_email VARCHAR,
  user_id VARCHAR,
  account_id VARCHAR,
  source VARCHAR,
  source_ip VARCHAR,
  source_description VARCHAR,
  source_country VARCHAR,
  link_self_href VARCHAR,
  event_category VARCHAR,
  event_action VARCHAR,
  actor VARCHAR,
  target_type VARCHAR,
  target_id VARCHAR,
  target_account_id VARCHAR,
  target_application_id VARCHAR,
  target_msisdn VARCHAR,
  target_country VARCHAR,
  target_ip VARCHAR,
  context_json VARCHAR,
  unmapped_json VARCHAR,
  context__country VARCHAR,
  context__msisdn VARCHAR,
  context__account VARCHAR,
  context__account_id VARCHAR,
  context__application_id VARCHAR,
  context__app_id VARCHAR,
  context__voice_type VARCHAR,
  context__voice_value VARCHAR,
  context__http VARCHAR,
  context__created__account_id VARCHAR,
  context__created__app_id VARCHAR,
  context__created__name VARCHAR,
  context__created__type VARCHAR,
  context__created__answer_url__method VARCHAR,
  context__created__answer_url__url VARCHAR,
  context__created__event_url__method VARCHAR,
  context__created__event_url__url VARCHAR
);
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS id VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS event_type VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS event_type_description VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS created_at TIMESTAMP_TZ(6);
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS user_email VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS user_id VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS account_id VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS source VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS source_ip VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS source_description VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS source_country VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS link_self_href VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS event_category VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS event_action VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS actor VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS target_type VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS target_id VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS target_account_id VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS target_application_id VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS target_msisdn VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS target_country VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS target_ip VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context_json VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS unmapped_json VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__country VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__msisdn VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__account VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__account_id VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__application_id VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__app_id VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__voice_type VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__voice_value VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__http VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__created__account_id VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__created__app_id VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__created__name VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__created__type VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__created__answer_url__method VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__created__answer_url__url VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__created__event_url__method VARCHAR;
ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS context__created__event_url__url VARCHAR;
CREATE STAGE IF NOT EXISTS audit_events_stage URL = 's3://bucket/audit/parquet/'
  FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE);
COPY INTO audit_events FROM @audit_events_stage PATTERN = '.*[.]parquet'
  FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE;

CREATE OR REPLACE VIEW v_account_secret_create AS
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

CREATE OR REPLACE VIEW v_account_secret_delete AS
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

CREATE OR REPLACE VIEW v_account_update_settings AS
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

CREATE OR REPLACE VIEW v_account_update_settings_api AS
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

CREATE OR REPLACE VIEW v_account_update_spammer AS
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

CREATE OR REPLACE VIEW v_app_create AS
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

CREATE OR REPLACE VIEW v_app_delete AS
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

CREATE OR REPLACE VIEW v_app_disable AS
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

CREATE OR REPLACE VIEW v_app_enable AS
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

CREATE OR REPLACE VIEW v_app_update AS
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

CREATE OR REPLACE VIEW v_autoreload_disable AS
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

CREATE OR REPLACE VIEW v_autoreload_enable AS
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

CREATE OR REPLACE VIEW v_autoreload_update AS
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

CREATE OR REPLACE VIEW v_ip_whitelist_create AS
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

CREATE OR REPLACE VIEW v_ip_whitelist_delete AS
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

CREATE OR REPLACE VIEW v_number_assign AS
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

CREATE OR REPLACE VIEW v_number_linked AS
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

CREATE OR REPLACE VIEW v_number_release AS
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

CREATE OR REPLACE VIEW v_number_unlinked AS
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

CREATE OR REPLACE VIEW v_number_updated AS
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

CREATE OR REPLACE VIEW v_number_user_canceled AS
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

CREATE OR REPLACE VIEW v_user_api_keys_update AS
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

CREATE OR REPLACE VIEW v_user_billing_update AS
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

CREATE OR REPLACE VIEW v_user_create AS
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

CREATE OR REPLACE VIEW v_user_login AS
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

CREATE OR REPLACE VIEW v_user_logout AS
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

CREATE OR REPLACE VIEW v_user_product_search AS
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

CREATE OR REPLACE VIEW v_user_status AS
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

CREATE OR REPLACE VIEW v_user_update AS
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
