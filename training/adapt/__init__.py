"""Adapt: a checkpoint learns the things of your own pictures.

`python -m training.adapt --data COCO_FOLDER --name NAME --out OUT`
"""
