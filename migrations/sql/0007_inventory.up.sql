-- What the agents' inventories add: every certificate, IPv6 addresses and switched-off VPN users, and the routes that a VPN
-- server sends to all of its clients. session-processor writes all of it.

-- The certificates that a VPN server knows of, as its agent told last. What counts of them is in vpn_user.
CREATE TABLE vpn_user_certificate (
    vpn_user_id bigint NOT NULL REFERENCES vpn_user (id),
    server_id   integer NOT NULL REFERENCES vpn_server (id),
    serial      text NOT NULL CHECK (serial ~ '^[0-9a-f]{1,40}$'),
    expires_at  timestamptz NOT NULL,
    revoked_at  timestamptz,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    -- Certificates of a VPN user: its page, and which of them counts.
    PRIMARY KEY (vpn_user_id, server_id, serial)
);
-- What the next inventory of a server replaces.
CREATE INDEX vpn_user_certificate_by_server ON vpn_user_certificate (server_id);
CREATE INDEX vpn_user_ccd_by_server ON vpn_user_ccd (server_id);
-- Also the routes of a server for all, which belong to no VPN user.
CREATE INDEX vpn_user_route_by_server ON vpn_user_route (server_id, vpn_user_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON vpn_user_certificate TO ovt_session_processor;
GRANT SELECT ON vpn_user_certificate TO ovt_query_api, ovt_reporter;

ALTER TABLE vpn_user_ccd ADD COLUMN ifconfig_ip6 inet;
-- The VPN server turns this VPN user away.
ALTER TABLE vpn_user_ccd ADD COLUMN disabled boolean NOT NULL DEFAULT false;
-- NULL: the VPN server sends it to all of its clients.
ALTER TABLE vpn_user_route ALTER COLUMN vpn_user_id DROP NOT NULL;
-- When the inventory that is stored was taken: an older one changes nothing.
ALTER TABLE vpn_server_state ADD COLUMN inventory_at timestamptz;
