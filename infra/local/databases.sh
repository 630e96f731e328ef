#!/usr/bin/env bash
# Roles and databases of the world's own PostgreSQL; the same again at every start. Passwords never stand on a command line.
# shellcheck source=infra/local/world.sh
source "$(dirname "${BASH_SOURCE[0]}")/world.sh"
sql() { psql -X -q -v ON_ERROR_STOP=1 -h "$PIPELINE_STATE/postgres" -p "$POSTGRES_PORT" -U postgres -d postgres "$@"; }

role() { # name, rights
  sql -v name="$1" -v file="$SECRETS/$1" <<SQL
\\set password \`cat "$SECRETS/$1"\`
SELECT format('CREATE ROLE %I LOGIN', :'name') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \\gexec
ALTER ROLE :"name" LOGIN $2 PASSWORD :'password';
SQL
}
database() { # name, owned by the role of that name
  sql -v name="$1" <<'SQL'
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name') WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
}

role pipeline ""
role prefect ""
# makes one database and role per plugin; it is no superuser
role plugins_admin "CREATEDB CREATEROLE"
database pipeline
database prefect
sql -c 'REVOKE ALL ON DATABASE postgres FROM PUBLIC; GRANT CONNECT ON DATABASE postgres TO plugins_admin'
