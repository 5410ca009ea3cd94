"""Values to HTML to PDF, and their verification."""
