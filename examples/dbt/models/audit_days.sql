-- A day of the log, not of the rows: a proven day without events is here with 0, a day that was never exported is not.
-- For a dataset of whole days (--grid P1D).
with proven as (
  select distinct cast(left(w."from", 10) as date) as day
  from {{ source('vonage', 'audit_commits') }}, unnest(windows) as t(w)
),
counted as (
  select cast(created_at at time zone 'UTC' as date) as day, count(*) as events
  from {{ source('vonage', 'audit_events') }}
  group by all
)
select proven.day, coalesce(counted.events, 0) as events
from proven left join counted using (day)
