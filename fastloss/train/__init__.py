"""The commands ``fastloss train`` and ``fastloss predict``: linear models of CSV and Parquet files."""
