"""The engine as an app, with a Supervisor over HTTP."""
