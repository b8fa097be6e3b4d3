"""What moves data in and out keeps its promises."""
