-- How far can the table be trusted for the other fourteen? A look at the rows; the proof is `vonage-audit verify`.
-- Events without a time are found by no date; unknown types by no category; a remainder holds what no column says.
-- Days without rows are no gap by themselves: the log names each day that was proven to have none.
SELECT count(*) AS events,
       count(*) - count(DISTINCT id) AS repeated_ids,
       count(*) FILTER (created_at IS NULL) AS without_time,
       count(*) FILTER (event_category = 'unknown') AS unknown_types,
       count(*) FILTER (unmapped_json IS NOT NULL) AS with_remainder,
       count(*) FILTER (actor IS NULL) AS without_actor,
       count(*) FILTER (event_category = 'auth') AS logins_and_logouts,
       min(created_at) AS first_event,
       max(created_at) AS last_event
FROM audit_events;
