"""Write the pages that stand in docs/reference."""

from tools.reference import FOLDER, shipped

FOLDER.mkdir(exist_ok=True)
for file, text in shipped().items():
    file.write_text(text)
