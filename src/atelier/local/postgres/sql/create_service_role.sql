DO $$
BEGIN
    IF to_regrole({literal}) IS NULL THEN
        CREATE ROLE {role} LOGIN;
    END IF;
END $$;
