"""The office: people, groups, consents, credentials and passes; one change at a time, disk first."""
