"""The office: people, groups, consents, credentials, passes; one change at a time, disk first."""
