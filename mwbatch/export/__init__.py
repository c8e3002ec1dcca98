"""What an answer becomes for others: one file a format. No clock and no network: image sizes are handed in.

::

    journal ──survey──> file names, categories, columns        first reading: what no later row may change
    journal ──pictures──> Picture, Picture, …                  second reading: a row and its answer at a time
    Picture ──csv_lines, parquet, coco, yolo, voc, label_studio──> a file or folder, aside, then renamed
"""
