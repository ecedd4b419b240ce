"""The workers: RQ on Redis. They take ids only and call one stage each; the database is the truth, RQ is the clock."""
