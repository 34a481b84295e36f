"""Languages: those of the page beside English and Japanese, a JSON file each: {table: {key: text}}.

English and Japanese stand in the tables of `i18n`, whose keys and {holes} every file here has too;
tasks and options stand there in every language, so that one is added in one place.
"""
