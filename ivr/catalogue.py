"""Reads `config/` once: questionnaires, phrases, services and the rules of fieldwork.

Decides where things stand in the files; what they mean is decided in `survey/`. All files are TOML, read by
`tomllib`, so nothing is silently retyped.
"""
