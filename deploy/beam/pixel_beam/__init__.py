"""Pixel Pipeline on Apache Beam. `main.py` runs it.

    options ─▶ pipeline: read lines ─▶ decoder (pixel-pipeline explain --lines) ─▶ group by event_id ─▶ sink: BigQuery or files
"""
