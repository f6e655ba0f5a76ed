-- PostgreSQL: rows of another ministry do not exist. `naru.ministry` is the ministry a transaction works for, or `*` for
-- work of the platform itself; where it is not set, nothing is visible. The second lock, behind SQL that names the ministry.
-- SQLite has nothing of the kind: there the SQL alone keeps ministries apart.

-- @postgres
-- Guards every table with a column `ministry` that is not guarded yet. A later migration that makes such a table ends with
-- `SELECT naru_guard_ministries();`. Rows without a ministry are the platform's: all may read them, only it may write them.
CREATE FUNCTION naru_guard_ministries() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    one record;
    own CONSTANT text := 'ministry = (SELECT current_setting(''naru.ministry'', true)) OR (SELECT current_setting(''naru.ministry'', true)) = ''*''';
    seen text;
BEGIN
    FOR one IN
        SELECT c.table_name AS name, c.is_nullable = 'YES' AS may_be_null
        FROM information_schema.columns c
        JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
        WHERE c.table_schema = current_schema() AND c.column_name = 'ministry' AND t.table_type = 'BASE TABLE'
            AND NOT EXISTS (SELECT 1 FROM pg_policies p WHERE p.schemaname = c.table_schema AND p.tablename = c.table_name)
    LOOP
        seen := own;
        IF one.may_be_null THEN
            seen := own || ' OR ministry IS NULL';
        END IF;
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', one.name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', one.name);
        EXECUTE format('CREATE POLICY ministry_reads ON %I FOR SELECT USING (%s)', one.name, seen);
        EXECUTE format('CREATE POLICY ministry_inserts ON %I FOR INSERT WITH CHECK (%s)', one.name, own);
        EXECUTE format('CREATE POLICY ministry_updates ON %I FOR UPDATE USING (%s) WITH CHECK (%s)', one.name, own, own);
        EXECUTE format('CREATE POLICY ministry_deletes ON %I FOR DELETE USING (%s)', one.name, own);
    END LOOP;
END $$;
SELECT naru_guard_ministries();

-- The record: a chain is its ministry's. Anybody may append (the chain a refusal belongs to is known only at its end).
ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit FORCE ROW LEVEL SECURITY;
CREATE POLICY ministry_reads ON audit FOR SELECT
    USING (stream = (SELECT current_setting('naru.ministry', true)) OR (SELECT current_setting('naru.ministry', true)) = '*');
CREATE POLICY anybody_appends ON audit FOR INSERT WITH CHECK (true);
-- Its triggers still refuse every change but the removal of what was retired.
CREATE POLICY platform_changes ON audit FOR UPDATE USING ((SELECT current_setting('naru.ministry', true)) = '*');
CREATE POLICY platform_retires ON audit FOR DELETE USING ((SELECT current_setting('naru.ministry', true)) = '*');

-- What entries say of people: read with the chain, written with its entries, forgotten by the platform.
ALTER TABLE audit_personal ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_personal FORCE ROW LEVEL SECURITY;
CREATE POLICY ministry_reads ON audit_personal FOR SELECT
    USING (stream = (SELECT current_setting('naru.ministry', true)) OR (SELECT current_setting('naru.ministry', true)) = '*');
CREATE POLICY anybody_appends ON audit_personal FOR INSERT WITH CHECK (true);
CREATE POLICY platform_forgets ON audit_personal FOR DELETE USING ((SELECT current_setting('naru.ministry', true)) = '*');
-- @end
