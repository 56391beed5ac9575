-- Which people logged in from a country where they had not logged in before?
-- The first country of each person is taken as the usual one. Logins are recorded for Premium Support alone.
WITH countries AS (
  SELECT user_email, source_country, min(created_at) AS first_login, count(*) AS logins
  FROM audit_events
  WHERE event_type = 'USER_LOGIN'
  GROUP BY user_email, source_country
)
SELECT user_email, source_country, first_login, logins
FROM countries
QUALIFY first_login > min(first_login) OVER (PARTITION BY user_email)
ORDER BY first_login, user_email;
