"""What all pages share: the frame, the menu, the style sheet, charts, the reader's language."""
