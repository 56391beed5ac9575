-- vonage-audit table 1.0.0 for athena
-- run one statement at a time; after each export: MSCK REPAIR TABLE audit_events
DROP TABLE IF EXISTS audit_events;
CREATE EXTERNAL TABLE audit_events (
  id string,
  event_type string,
  event_type_description string,
  created_at timestamp,
  user_email string,
  user_id string,
  account_id string,
  source string,
  source_ip string,
  source_description string,
  source_country string,
  link_self_href string,
  event_category string,
  event_action string,
  actor string,
  target_type string,
  target_id string,
  target_account_id string,
  target_application_id string,
  target_msisdn string,
  target_country string,
  target_ip string,
  context_json string,
  unmapped_json string,
  context__country string,
  context__msisdn string,
  context__account string,
  context__account_id string,
  context__application_id string,
  context__app_id string,
  context__voice_type string,
  context__voice_value string,
  context__http string,
  context__created__account_id string,
  context__created__app_id string,
  context__created__name string,
  context__created__type string,
  context__created__answer_url__method string,
  context__created__answer_url__url string,
  context__created__event_url__method string,
  context__created__event_url__url string
)
PARTITIONED BY (type string, account string, event_date date)
STORED AS PARQUET
LOCATION 's3://bucket/audit/parquet/';
MSCK REPAIR TABLE audit_events;

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
