{{ config(materialized='incremental', unique_key='id') }}
-- Late events have old times: rows are told apart by id, not by time.
select id, created_at, event_action, actor, source_ip, source_country, account_id, target_id
from {{ source('vonage', 'audit_events') }}
where event_category = 'secret'
{% if is_incremental() %}
  and id not in (select id from {{ this }})
{% endif %}
