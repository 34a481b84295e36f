"""Adapt: a checkpoint learns the things of your own pictures.

`python -m gemma_vision.finetune --data COCO_FOLDER --name NAME --out OUT`
"""
