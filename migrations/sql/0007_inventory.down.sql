-- Certificates and routes for all are lost until the agents send their inventories again.
ALTER TABLE vpn_server_state DROP COLUMN inventory_at;
DELETE FROM vpn_user_route WHERE vpn_user_id IS NULL;
ALTER TABLE vpn_user_route ALTER COLUMN vpn_user_id SET NOT NULL;
ALTER TABLE vpn_user_ccd DROP COLUMN disabled, DROP COLUMN ifconfig_ip6;
DROP INDEX vpn_user_route_by_server, vpn_user_ccd_by_server;
DROP TABLE vpn_user_certificate;
