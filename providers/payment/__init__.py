"""Payment gateways behind `portal.billing.port`."""
