-- What was changed with an API key, so that there is no person to ask? By address, the rarest first.
SELECT account_id, source_ip, source_country, event_type, count(*) AS changes, min(created_at) AS first_at
FROM audit_events
WHERE user_email IS NULL AND user_id IS NULL
GROUP BY ALL
ORDER BY changes, first_at, event_type;
