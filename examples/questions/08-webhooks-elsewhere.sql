-- Which addresses of the web that are not ours were put into settings, applications and numbers?
-- Every URL of a context counts, also in places that no column holds. Put in your domains.
WITH settings AS (SELECT ['example.org', 'example.com'] AS ours),
hosts AS (
  SELECT created_at, id, event_type, actor, source_ip,
         unnest(regexp_extract_all(lower(replace(context_json, '\/', '/')),
                                   '(?:https?|wss?)://(?:[^/"?#@]*@)?([^/":?#@]+)', 1)) AS host
  FROM audit_events
)
SELECT DISTINCT ON (id, host) created_at, event_type, host, actor, source_ip
FROM hosts, settings
WHERE len(list_filter(ours, lambda domain: host = domain OR ends_with(host, '.' || domain))) = 0
ORDER BY created_at, id, host;
