"""OpenAI: the app as a server of that API, for clients and agents that know nothing of Gradio.

`/v1/chat/completions` and `/v1/models`, over the same limits, decoder and model as every door.
"""
