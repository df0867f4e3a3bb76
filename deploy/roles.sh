#!/bin/sh
# Makes the database and its two roles. The owner migrates; the service reads and writes rows, and since it owns
# nothing, it can drop no trigger and truncate no table of the log. Run once, by a superuser; passwords come from
# ACTA_OWNER_PASSWORD and ACTA_SERVICE_PASSWORD.
set -eu

psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" --dbname=postgres <<'SQL'
\getenv owner_password ACTA_OWNER_PASSWORD
\getenv service_password ACTA_SERVICE_PASSWORD
CREATE ROLE acta_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE acta_service LOGIN PASSWORD :'service_password';
CREATE DATABASE acta OWNER acta_owner ENCODING 'UTF8' TEMPLATE template0;
\connect acta
REVOKE ALL ON DATABASE acta FROM PUBLIC;
GRANT CONNECT ON DATABASE acta TO acta_service;
GRANT USAGE ON SCHEMA public TO acta_service;
ALTER DEFAULT PRIVILEGES FOR ROLE acta_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO acta_service;
ALTER DEFAULT PRIVILEGES FOR ROLE acta_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO acta_service;
SQL
