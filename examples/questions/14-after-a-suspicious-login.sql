-- What did a person do in the hour after a first login from another country than the usual one?
-- Blind, as question 2, where logins are not recorded.
WITH countries AS (
  SELECT user_email, source_country, min(created_at) AS first_login
  FROM audit_events
  WHERE event_type = 'USER_LOGIN'
  GROUP BY user_email, source_country
),
suspicious AS (
  SELECT user_email, first_login
  FROM countries
  QUALIFY first_login > min(first_login) OVER (PARTITION BY user_email)
)
SELECT user_email, event_type, count(*) AS events, min(created_at) AS first_at, max(created_at) AS last_at
FROM audit_events
JOIN suspicious USING (user_email)
WHERE created_at BETWEEN first_login AND first_login + INTERVAL 1 HOUR
GROUP BY ALL
ORDER BY first_at, event_type;
