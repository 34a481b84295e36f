"""The API for programs: endpoints with the library's verbs and JSON, MCP tools, model state."""
