"""Fine-tuning: a checkpoint learns the things of your own pictures.

`gemma-vision finetune FOLDER --name NAME --out OUT`. Imports the library; of the library only the
command imports it, when it is run.
"""
