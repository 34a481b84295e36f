"""The web app's pieces: one file per tab, the viewer, the endpoints. Gradio stays in here."""
