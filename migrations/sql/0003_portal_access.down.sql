DROP TABLE login_attempt;
DROP TABLE portal_refresh_token;
DROP TABLE portal_session;
DROP TABLE portal_recovery_code;
REVOKE UPDATE (requires_totp) ON portal_role FROM ovt_auth;
ALTER TABLE portal_role DROP COLUMN requires_totp;
ALTER TABLE portal_user
    DROP COLUMN totp_secret,
    DROP COLUMN totp_confirmed_at,
    DROP COLUMN totp_last_step,
    DROP COLUMN must_change_password,
    DROP COLUMN password_changed_at,
    DROP COLUMN deleted_at,
    DROP COLUMN version;
