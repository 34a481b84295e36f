"""Server: what stands between a visitor and the page: uploads, quotas, errors, address, theme.

May touch gradio and starlette; knows no tab.
"""
