"""Components: what the page shows beyond Gradio's own. Python, script, style and template of one
lie side by side under one name.
"""
