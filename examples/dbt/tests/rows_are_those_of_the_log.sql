-- Every file that the log names is there with its rows, and nothing else is: no row means that it holds.
with logged as (
  select unnest(flatten([list_transform(windows, lambda w: w.files), [undated.files]]), recursive := true)
  from {{ source('vonage', 'audit_commits') }}
)
select *
from (
  select (select sum(rows) from logged where format = 'parquet') as in_the_log,
         (select count(*) from {{ source('vonage', 'audit_events') }}) as in_the_files
)
where in_the_log <> in_the_files
